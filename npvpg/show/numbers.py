"""Numbers as a screen shows them."""

import math


def number(value: float | None) -> str:
    """
    Set a return with as many digits as its size needs.

    Parameters
    ----------
    value : float or None
        The return; None or NaN before the first episode has ended [reward].

    Returns
    -------
    str
        One digit after the point from ten on, three that count below and far above, or "-" if
        there is none.

    Examples
    --------
    >>> number(476.52), number(-3.0), number(0.0513), number(None)
    ('476.5', '-3.0', '0.0513', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    size = abs(value)
    if size == 0 or 10 <= size < 1e7:
        return f"{value:.1f}" if size < 1e5 else f"{value:.0f}"
    text = f"{value:.3g}"
    if "e" in text or "." in text or math.isinf(value):
        return text
    return f"{text}.0"


def whole(value: float) -> str:
    """
    Set a number of steps.

    Parameters
    ----------
    value : float
        The number [steps].

    Returns
    -------
    str
        The number, rounded.

    Examples
    --------
    >>> whole(123456.7)
    '123,457'
    """
    return f"{value:,.0f}"


def duration(seconds: float) -> str:
    """
    Set a time as h:mm:ss, without the hours there are not; below ten seconds as a number of them.

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
    >>> duration(0.1291), duration(75), duration(3675)
    ('0.13 s', '1:15', '1:01:15')
    """
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
