"""
Words of a command line: which are flags and values, and every mistake answered in one line.

tyro turns a dataclass into flags and help, and answers a mistake with a box of several lines. The
mistakes that are common are found here first; what tyro finds is taken out of its box.
"""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import tyro

from npvpg.runs.words import nearest

T = TypeVar("T")

_HELP = ("-h", "--help")


class Words(NamedTuple):
    """
    Words of a command line, sorted.

    Attributes
    ----------
    plain : list of str
        Words that belong to no flag.
    flags : list of str
        Flags and their values, in order.
    values : dict
        The value of every flag that takes one, by its name.
    help : bool
        Whether help is asked for.
    """

    plain: list[str]
    flags: list[str]
    values: dict[str, str]
    help: bool


def sort_words(words: Sequence[str], kinds: Mapping[str, Any]) -> Words:
    """
    Tell flags and their values from the other words.

    Parameters
    ----------
    words : sequence of str
        The words.
    kinds : mapping
        Type of every flag by its name: a bool has no value, a tuple as many as are numbers, any
        other exactly one.

    Returns
    -------
    Words
        The words, sorted.

    Raises
    ------
    ValueError
        If a flag is unknown; the nearest are offered.
    """
    kinds = {name.replace("_", "-"): kind for name, kind in kinds.items()}
    plain: list[str] = []
    flags: list[str] = []
    values: dict[str, str] = {}
    rest = [word for word in words if word not in _HELP]
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        name = flag[2:].replace("_", "-")
        if not re.match(r"--?[a-zA-Z]", word):
            plain.append(word)
        elif name.startswith("no-") and kinds.get(name[3:]) is bool and not equals:
            flags.append(word)
        elif name not in kinds:
            known = [f"--{kind}" for kind in kinds]
            raise ValueError(f"unknown flag {flag}{nearest(flag, known)}")
        elif kinds[name] is bool:
            if equals:
                raise ValueError(f"{flag} takes no value; --no-{name} is its opposite, got {word}")
            flags.append(word)
        elif get_origin(kinds[name]) is tuple and not equals:
            flags.append(flag)
            while rest and re.match(r"[-+]?\d", rest[0]):
                flags.append(_checked(flag, int, rest.pop(0)))
        else:
            if not equals and not rest:
                raise ValueError(f"{flag} needs a value")
            value = _checked(flag, kinds[name], value if equals else rest.pop(0))
            if name == "env":  # which has its place before the flags
                plain.append(value)
            else:
                flags += [flag, value]
                values[name] = value
    return Words(plain, flags, values, any(word in _HELP for word in words))


def _checked(flag: str, kind: Any, value: str) -> str:
    """Refuse a word that is no value of this type; 1e6 is an integer, too."""
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if choices and value not in choices:
        offer = nearest(value, choices)
        raise ValueError(f"{flag} must be one of {', '.join(choices)}, got {value!r}{offer}")
    if kind in (int, float):
        try:
            number = float(value) if kind is float else int(value.replace("_", ""))
        except ValueError:
            with contextlib.suppress(ValueError, OverflowError):
                if int(float(value)) == float(value):
                    return str(int(float(value)))
            name = "a number" if kind is float else "an integer"
            raise ValueError(f"{flag} must be {name}, got {value!r}") from None
        return str(number)
    return value


def parse(kind: type[T], command: str, given: Words, default: T | None = None) -> T:
    """
    Let tyro read sorted words, and put its complaint into one line.

    Parameters
    ----------
    kind : type
        Dataclass of the command.
    command : str
        Name of the command, for the help.
    given : Words
        The words.
    default : object, optional
        Instance of `kind` whose values stand where no flag does.

    Returns
    -------
    object
        Instance of `kind`.

    Raises
    ------
    ValueError
        If a value cannot be read or is out of range.
    SystemExit
        After printing the help, if asked for it.
    """
    words = ["--help"] if given.help else [*given.plain, *given.flags]
    complaint = io.StringIO()
    start = tyro.MISSING_NONPROP if default is None else default
    try:
        with contextlib.redirect_stderr(complaint), _wide(not given.help):
            return tyro.cli(kind, args=words, prog=f"npvpg {command}", default=start)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ValueError(_first_sentence(complaint.getvalue())) from None


@contextlib.contextmanager
def _wide(wanted: bool) -> Iterator[None]:
    """Give tyro so many columns that it breaks no line of a complaint."""
    before = os.environ.get("COLUMNS")
    if wanted:
        os.environ["COLUMNS"] = "100000"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("COLUMNS", None)
        else:
            os.environ["COLUMNS"] = before


def _first_sentence(box: str) -> str:
    """Take the text out of a box of tyro: between its title and its first rule."""
    text: list[str] = []
    for line in box.splitlines()[1:]:
        bare = line.strip("│ ")
        if not re.fullmatch("[-─╰╯ ]*", bare):  # a terminal without Unicode gets the plain rule
            text.append(bare)
        elif text:
            break
    # of a value out of range, what Config says is the whole story
    return re.sub("^Error parsing (config: )?", "", " ".join(text)).rstrip(".")
