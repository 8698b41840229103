"""Numbers as a screen shows them."""

import math


def number(value: float | None) -> str:
    """
    Set a return with one decimal.

    Parameters
    ----------
    value : float or None
        The return; None or NaN before the first episode has ended [reward].

    Returns
    -------
    str
        The number, or "-" if there is none.

    Examples
    --------
    >>> number(476.52), number(None)
    ('476.5', '-')
    """
    return "-" if value is None or math.isnan(value) else f"{value:.1f}"


def duration(seconds: float) -> str:
    """
    Set a time as h:mm:ss, without the hours there are not.

    Parameters
    ----------
    seconds : float
        The time [s].

    Returns
    -------
    str
        The time.

    Examples
    --------
    >>> duration(75), duration(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
