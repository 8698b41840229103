"""Completion of commands and flags in bash, zsh and fish, written from the one parser."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from npvpg.command.help import docstrings
from npvpg.command.parser import Command, Field, fields_of

Shell = Literal["bash", "zsh", "fish"]

_ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz bashcompinit && bashcompinit
"""


class Flag(NamedTuple):
    """
    A flag or word, as a shell completes it.

    Attributes
    ----------
    names : tuple of str
        Its flags, "--no-..." among them; none for a word.
    takes : bool
        Whether a value follows.
    choices : tuple of str
        Values that it may have, if they can be listed.
    files : bool
        Whether its value is a path.
    about : str
        The beginning of its text.
    """

    names: tuple[str, ...]
    takes: bool
    choices: tuple[str, ...]
    files: bool
    about: str


def script(shell: Shell, commands: Mapping[str, type[Command]]) -> str:
    """
    Write what a shell reads.

    Parameters
    ----------
    shell : {"bash", "zsh", "fish"}
        The shell.
    commands : mapping of str to type
        The commands by name.

    Returns
    -------
    str
        The script.
    """
    told = {name: list(flags(kind)) for name, kind in commands.items()}
    abouts = {name: _first(kind.__doc__ or "") for name, kind in commands.items()}
    if shell == "fish":
        return _fish(told, abouts)
    bash = _bash(told)
    return bash if shell == "bash" else f"{_ZSH}{bash}"


def flags(kind: type[Command]) -> Iterator[Flag]:
    """
    List the flags and words of a command.

    Parameters
    ----------
    kind : type
        Class of the command.

    Yields
    ------
    Flag
        One for each, and one for the help.
    """
    fields = fields_of(kind)
    docs = {owner: docstrings(owner) for owner in {field.owner for field in fields.values()}}
    for field in fields.values():
        yield _flag(field, docs[field.owner].get(field.name, ""))
    yield Flag(("--help",), False, (), False, "List the flags.")


def _flag(field: Field, doc: str) -> Flag:
    """Say how a field is completed."""
    kind: Any = field.kind
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    names: tuple[str, ...] = () if field.is_word else (field.flag,)
    if kind is bool:
        names = (field.flag, f"--no-{field.flag[2:]}")
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if field.name == "env":
        choices = _presets()
    files = kind is Path or field.unit in ("RUN", "DIR")
    return Flag(names, kind is not bool, choices, files, _first(doc))


def _presets() -> tuple[str, ...]:
    """Name the environments that have a preset."""
    from npvpg.runs.config_file import PRESETS  # noqa: PLC0415 - not for every help

    return tuple(sorted(file.stem for file in PRESETS.glob("*.toml")))


def _first(text: str) -> str:
    """Take the first sentence, or what is before a semicolon, of a text."""
    line = " ".join(text.split())
    return line.partition(". ")[0].partition("; ")[0].removesuffix(".")


def _bash(told: Mapping[str, list[Flag]]) -> str:
    """Write a function and its registration; zsh reads the same."""
    values: list[str] = []
    words: list[str] = []
    for name, found in told.items():
        for flag in found:
            if flag.takes and flag.names:
                before = "|".join(f"{name}/{each}" for each in flag.names)
                values.append(f"        {before}) {_bash_value(flag)};;")
        every = " ".join(each for flag in found for each in flag.names)
        word = next((flag for flag in found if not flag.names), None)
        rest = ":" if word is None else _bash_value(word)
        named = f'COMPREPLY=($(compgen -W "{every}" -- "$cur"))'
        words.append(f'                {name}) case "$cur" in -*) {named};; *) {rest};; esac;;')
    lines = [
        "# completion of npvpg, made by: npvpg completion bash",
        "_npvpg() {",
        '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
        '    local command="${COMP_WORDS[1]}"',
        "    COMPREPLY=()",
        '    if [ "$COMP_CWORD" -eq 1 ]; then',
        f'        COMPREPLY=($(compgen -W "{" ".join([*told, "--help", "--version"])}" -- "$cur"))',
        "        return",
        "    fi",
        '    case "$command/$prev" in',
        *values,
        "        *)",
        '            case "$command" in',
        *words,
        "            esac;;",
        "    esac",
        "}",
        "complete -o filenames -F _npvpg npvpg",
    ]
    return "\n".join(lines) + "\n"


def _bash_value(flag: Flag) -> str:
    """Complete a value."""
    if flag.choices:
        return f'COMPREPLY=($(compgen -W "{" ".join(flag.choices)}" -- "$cur"))'
    return 'COMPREPLY=($(compgen -f -- "$cur"))' if flag.files else ":"


def _fish(told: Mapping[str, list[Flag]], abouts: Mapping[str, str]) -> str:
    """Write a line a flag."""
    lines = ["# completion of npvpg, made by: npvpg completion fish", "complete -c npvpg -f"]
    for name, about in abouts.items():
        lines.append(
            f"complete -c npvpg -n __fish_use_subcommand -a {name} -d {shlex.quote(about)}"
        )
    for name, found in told.items():
        seen = f"complete -c npvpg -n '__fish_seen_subcommand_from {name}'"
        for flag in found:
            value = ""
            if flag.choices:
                value = f" -x -a {shlex.quote(' '.join(flag.choices))}"
            elif flag.takes:
                value = " -r -F" if flag.files else " -x"
            if not flag.names and flag.choices:
                value = value.replace(" -x", "")
            elif not flag.names:
                value = " -F" if flag.files else ""
            for each in flag.names or ("",):
                long = f" -l {each[2:]}" if each else ""
                about = f" -d {shlex.quote(flag.about)}" if each else ""
                if long or value:
                    lines.append(f"{seen}{long}{value}{about}")
    return "\n".join(lines) + "\n"
