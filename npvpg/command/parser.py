"""
The one parser: the fields of a dataclass are the flags of a command, their docstrings the help.

A field without a default is a word of the command line, any other a flag; the fields of a
dataclass among them count as its own. A string in an annotation is the unit that the help shows.
"""

import dataclasses
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    get_args,
    get_origin,
    get_type_hints,
)

from npvpg.command.peers import ours
from npvpg.command.values import single, value_of
from npvpg.runs.words import nearest

HELP = ("-h", "--help")

_FLAG = re.compile(r"--?[a-zA-Z]")
_NUMBER = re.compile(r"[-+]?\d")


class Command(ABC):
    """A command: every concrete class is a frozen dataclass of what it may be given."""

    name: ClassVar[str]
    """Its first word."""

    groups: ClassVar[Mapping[str, str]] = {}
    """Groups of the fields in the help, each by the field that it begins with."""

    @classmethod
    def below(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Give what stands where no flag does, if that is not the default of the field.

        Parameters
        ----------
        given : mapping
            Values of the flags and words that are given, by field.

        Returns
        -------
        mapping
            Values by field.

        Raises
        ------
        ValueError
            If what `given` says about it is wrong.
        """
        return {}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """
        Make the command.

        Parameters
        ----------
        given : mapping
            Values of the flags and words that are given, by field.

        Returns
        -------
        Command
            The command.

        Raises
        ------
        ValueError
            If something is missing, out of range or contradicts something else.
        """
        for field in fields_of(cls).values():
            if field.is_word and field.name not in given:
                raise ValueError(f"{cls.name} needs {field.unit}; see npvpg {cls.name} --help")
        return cls(**given)

    @abstractmethod
    def carry_out(self) -> int:
        """
        Do what is asked for.

        Returns
        -------
        int
            Exit code.

        Raises
        ------
        ValueError
            If it cannot be done.
        """


class Field(NamedTuple):
    """
    One flag or word.

    Attributes
    ----------
    name : str
        Name of the field.
    kind : type
        Its type, None left out.
    unit : str
        Unit of its value, for the help.
    default : object
        Value where none is given; `dataclasses.MISSING` for a word.
    group : str
        Group in the help.
    owner : type
        Dataclass that declares it.
    """

    name: str
    kind: Any
    unit: str
    default: Any
    group: str
    owner: type

    @property
    def is_word(self) -> bool:
        """Whether it has its place without a flag."""
        return self.default is dataclasses.MISSING

    @property
    def flag(self) -> str:
        """The flag."""
        return f"--{self.name.replace('_', '-')}"


def fields_of(owner: type, group: str = "flags") -> dict[str, Field]:
    """
    Give the flags and words that a dataclass declares.

    Parameters
    ----------
    owner : type
        The dataclass.
    group : str
        Group of the fields in front of the first that begins a group.

    Returns
    -------
    dict
        Fields by name.
    """
    hints = get_type_hints(owner, include_extras=True)
    begins = {first: title for title, first in getattr(owner, "groups", {}).items()}
    found: dict[str, Field] = {}
    for field in dataclasses.fields(owner):
        kind, unit = hints[field.name], ""
        group = begins.get(field.name, group)
        if dataclasses.is_dataclass(kind):
            found |= fields_of(kind, group)  # type: ignore[arg-type]
            continue
        if get_origin(kind) is Annotated:
            kind, unit = get_args(kind)
        if NoneType in get_args(kind):
            kind = next(part for part in get_args(kind) if part is not NoneType)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found[field.name] = Field(field.name, kind, unit, default, group, owner)
    return found


def read(kind: type[Command], words: Sequence[str]) -> dict[str, Any]:
    """
    Read the words of a command line.

    Parameters
    ----------
    kind : type
        Class of the command.
    words : sequence of str
        What follows its name; `HELP` among them is passed over.

    Returns
    -------
    dict
        Values of the flags and words that are given, by field.

    Raises
    ------
    ValueError
        If a flag is unknown, whose nearest are offered, or a value is missing, cannot be read or
        stands where there should be none.
    """
    fields = fields_of(kind)
    given: dict[str, Any] = {}
    plain: list[str] = []
    rest = deque(word for word in words if word not in HELP)
    while rest:
        word = rest.popleft()
        flag, equals, text = word.partition("=")
        name = flag[2:].replace("-", "_")
        switch = fields.get(name.removeprefix("no_"))
        if not _FLAG.match(word):
            plain.append(word)
        elif switch and switch.kind is bool and not equals:
            given[switch.name] = name == switch.name
        elif name not in fields:
            known = [field.flag for field in fields.values()]
            offer = ours(name, fields) or nearest(flag, known)
            raise ValueError(f"unknown flag {flag}{offer}")
        elif fields[name].kind is bool:
            raise ValueError(f"{flag} takes no value; --no-{flag[2:]} is its opposite, got {word}")
        else:
            texts = [text] if equals else _values(flag, fields[name], rest)
            if _takes_many(fields[name]):
                texts += _numbers(rest)
            if texts == [""]:
                raise ValueError(f"{flag} needs a value")
            if fields[name].is_word:
                plain += texts
            else:
                given[name] = value_of(flag, fields[name].kind, texts, given.get(name))
    return given | _words(kind.name, fields, plain)


def _values(flag: str, field: Field, rest: deque[str]) -> list[str]:
    """Take the value that follows a flag, which is no flag itself."""
    if _takes_many(field):
        return []  # as many as there are numbers, which may be none
    if not rest or rest[0].startswith("--"):
        raise ValueError(f"{flag} needs a value")
    return [rest.popleft()]


def _takes_many(field: Field) -> bool:
    """Say whether several numbers may follow the flag; texts come one a flag."""
    return get_origin(field.kind) is tuple and not field.is_word and str not in get_args(field.kind)


def _numbers(rest: deque[str]) -> list[str]:
    """Take the numbers that come next."""
    found = []
    while rest and _NUMBER.match(rest[0]):
        found.append(rest.popleft())
    return found


def _words(command: str, fields: Mapping[str, Field], plain: list[str]) -> dict[str, Any]:
    """Give the words without a flag to the field that takes them."""
    field = next((field for field in fields.values() if field.is_word), None)
    if not plain:
        return {}
    if field is None:
        raise ValueError(f"{command} takes flags only, got {plain[0]}")
    if get_origin(field.kind) is tuple:
        (kind, _) = get_args(field.kind)
        return {field.name: tuple(single(field.unit, kind, text) for text in plain)}
    if len(plain) > 1:
        raise ValueError(f"{command} takes one {field.unit}, got {' and '.join(plain)}")
    return {field.name: single(field.unit, field.kind, plain[0])}
