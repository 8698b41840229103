"""What a check holds a class to, and what it says when a theorem breaks."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Theorem(NamedTuple):
    """
    A statement that a check holds a class to.

    Parameters
    ----------
    name : str
        A word or two: "EGLP".
    statement : str
        One line of plain text.
    """

    name: str
    statement: str

    def __str__(self) -> str:
        """Name and statement in one line."""
        return f"{self.name}: {self.statement}"


class TheoremError(AssertionError):
    """
    A theorem does not hold of a class.

    Parameters
    ----------
    theorem : Theorem
        Which one.
    subject : str
        What was checked.
    error, allowed : float
        How far it is off, and how far rounding, truncation or chance may put it.
    inputs : dict of str to Any
        The smallest input found.
    """

    def __init__(
        self, theorem: Theorem, subject: str, error: float, allowed: float, inputs: dict[str, Any]
    ) -> None:
        self.theorem, self.subject = theorem, subject
        self.error, self.allowed, self.inputs = error, allowed, inputs
        by = f"off by {error:.3g}, allowed {allowed:.3g}; " if allowed else ""
        told = [f"{subject} breaks {theorem}", f"  {by}smallest input found:"]
        told += [f"    {name} = {_shown(value)}" for name, value in inputs.items()]
        super().__init__("\n".join(told))


class Margin(NamedTuple):
    """
    How close a theorem came to failing.

    Parameters
    ----------
    error, allowed : float
        Of the worst example.
    n_compared : int
        Number of comparisons.
    """

    error: float
    allowed: float
    n_compared: int

    @property
    def ratio(self) -> float:
        """Error in units of the error allowed; 0 if nothing is allowed and nothing is off."""
        return 0.0 if self.error == 0 else self.error / self.allowed if self.allowed else math.inf


@dataclass
class Ledger:
    """
    Errors of one subject, each held to what is allowed.

    Parameters
    ----------
    subject : str
        What is checked, as messages name it.
    margins : dict of Theorem to Margin
        Worst errors so far.
    """

    subject: str
    margins: dict[Theorem, Margin] = field(default_factory=dict)

    def hold(self, theorem: Theorem, error: Any, allowed: Any, **inputs: Any) -> None:
        """
        Hold errors to what is allowed.

        Parameters
        ----------
        theorem : Theorem
            What is spoken of.
        error, allowed : array_like
            Errors and what they may be, broadcast against each other; the worst pair counts.
        **inputs : Any
            What was tried, for the message.

        Raises
        ------
        TheoremError
            If an error exceeds what is allowed, or is not a number.
        """
        errors, limits = np.broadcast_arrays(np.abs(np.asarray(error, float)), allowed)
        if errors.size == 0:
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(errors == 0, 0.0, errors / limits)
        worst = int(np.argmax(np.where(np.isnan(ratios), np.inf, ratios)))
        seen = Margin(float(errors.flat[worst]), float(limits.flat[worst]), 1)
        before = self.margins.get(theorem, Margin(0.0, seen.allowed, 0))
        keep = before if before.n_compared and before.ratio >= seen.ratio else seen
        self.margins[theorem] = keep._replace(n_compared=before.n_compared + errors.size)
        if not seen.error <= seen.allowed:
            if errors.size > 1:
                index = np.unravel_index(worst, errors.shape)
                inputs["at index"] = tuple(map(int, index)) if len(index) > 1 else int(index[0])
            raise TheoremError(theorem, self.subject, seen.error, seen.allowed, inputs)

    def require(self, theorem: Theorem, good: bool, **inputs: Any) -> None:
        """
        Hold a statement that is true or false.

        Parameters
        ----------
        theorem : Theorem
            What is spoken of.
        good : bool
            Whether it holds.
        **inputs : Any
            What was tried, for the message.

        Raises
        ------
        TheoremError
            If it does not hold.
        """
        self.hold(theorem, 0.0 if good else 1.0, 0.0, **inputs)


def _shown(value: Any) -> str:
    """Write an input in one line, an array as numpy code that can be pasted."""
    if isinstance(value, np.ndarray):
        return np.array2string(value, separator=", ", threshold=64).replace("\n", "")
    return str(value)
