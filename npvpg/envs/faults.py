"""What goes wrong in an environment, told in one line of its user's terms."""

import re
import traceback
from typing import Any, final

import gymnasium

from npvpg import theirs

LONGEST = 200  # characters of a value or an exception that are shown


@final
class EnvError(ValueError):
    """
    An environment broke a rule, or failed by itself.

    Parameters
    ----------
    told : str
        The rule and what came in its place; or the exception and the line it came from.
    failed : bool
        Whether it failed by itself.
    index : int, optional
        Number of the sub-environment, where that is known.
    when : str
        At what step of what, where that is known.

    Examples
    --------
    >>> print(EnvError("reward must be finite, got nan", index=1, when="at step 3"))
    reward must be finite, got nan from sub-environment 1 at step 3
    >>> print(EnvError("KeyError: 'x' (a.py:7)", failed=True, index=1, when="at step 3"))
    sub-environment 1 failed at step 3: KeyError: 'x' (a.py:7)
    """

    def __init__(
        self, told: str, failed: bool = False, index: int | None = None, when: str = ""
    ) -> None:
        super().__init__(told, failed, index, when)
        self.told, self.failed, self.index, self.when = told, failed, index, when

    def __str__(self) -> str:
        who = "env" if self.index is None else f"sub-environment {self.index}"
        when = f" {self.when}" if self.when else ""
        if self.failed:
            return f"{who} failed{when}: {self.told}"
        return f"{self.told}{'' if self.index is None else f' from {who}'}{when}"

    def placed(self, index: int | None, when: str) -> "EnvError":
        """
        Say better where it happened.

        Parameters
        ----------
        index : int or None
            Number of the sub-environment, if the fault does not know it.
        when : str
            At what step of what.

        Returns
        -------
        EnvError
            The same fault, its cause and its notes with it.
        """
        known = index if self.index is None else self.index
        fault = EnvError(self.told, self.failed, known, when)
        fault.__cause__ = self.__cause__
        for note in getattr(self, "__notes__", ()):
            fault.add_note(note)
        return fault

    def counted_from(self, first: int) -> "EnvError":
        """
        Number the sub-environment as the whole run does.

        Parameters
        ----------
        first : int
            Number of the first sub-environment of those among which it was numbered.

        Returns
        -------
        EnvError
            The same fault; where no number is known, itself.
        """
        if self.index is None or not first:
            return self
        fault = self.placed(None, self.when)
        fault.index = self.index + first
        return fault


def raised(error: BaseException, method: str) -> EnvError:
    """
    Turn what a call of an environment raised into one line.

    Parameters
    ----------
    error : BaseException
        The exception.
    method : str
        Name of the call: "reset", "step" or "close".

    Returns
    -------
    EnvError
        Its cause is the exception.
    """
    if isinstance(error, EnvError):
        return error
    first = error.args[0] if error.args else None
    inner = first if isinstance(first, type(error)) else error  # as Gymnasium's workers send it
    fault = _misdeclared(error, method) or EnvError(theirs.told(inner), failed=True)
    fault.__cause__ = error
    return fault


def shown(value: object) -> str:
    """
    Show a value in one line that is not too long.

    Parameters
    ----------
    value : object
        Anything at all.

    Returns
    -------
    str
        What `repr` says, without breaks of lines.

    Examples
    --------
    >>> shown({"a": 1})
    "{'a': 1}"
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # it is not ours
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def name_of(env: Any) -> str:
    """
    Name an environment as its user does.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
        The environment.

    Returns
    -------
    str
        Its identifier, or the name of its class.
    """
    inner = getattr(env, "unwrapped", env)
    spec = getattr(inner, "spec", None)
    if spec is not None:
        return str(spec.id)
    envs = getattr(inner, "envs", None)
    return name_of(envs[0]) if envs else str(getattr(inner, "env_name", type(inner).__name__))


def _misdeclared(error: BaseException, method: str) -> EnvError | None:
    """Recognise what a wrapper of Gymnasium trips over before the check of this package."""
    if isinstance(error, gymnasium.error.InvalidMetadata):
        return EnvError(f"{METADATA_RULE}, got {shown(error)}")
    text = str(error) if isinstance(error, TypeError | ValueError) else ""
    last, own = traceback.extract_tb(error.__traceback__)[-1:], theirs.frames(error)[-1:]
    if not text or last == own:  # it was raised by the user's own code
        return None
    if method == "reset" and re.search(r"argument '(seed|options)'|positional arg", text):
        return EnvError(
            "reset must take seed and options, as in def reset(self, *, seed=None, options=None), "
            f"got {shown(error)}"
        )
    count = re.search(r"(?:got (\d)|(too many)|(non-iterable \w+))", text)
    if method == "step" and "unpack" in text and count:
        got = f"{count[1]} values" if count[1] else "more" if count[2] else f"a {count[3]}"
        return EnvError(f"{STEP_RULE}, got {got}")
    return None


STEP_RULE = "step must return (obs, reward, terminated, truncated, info)"
METADATA_RULE = 'metadata must be a dict such as {"render_modes": []}'
RESET_RULE = "reset must return (obs, info), info a dict"
