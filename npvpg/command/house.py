"""The commands about the house itself: what there is to train, whether all works, completion."""
# ruff: noqa: PLC0415

import importlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from typing_extensions import override

from npvpg.command.names import COMMANDS
from npvpg.command.parser import Command


@dataclass(frozen=True)
class List(Command):
    """Show the presets, what to expect of them, and the other environments that are installed."""

    name: ClassVar[str] = "list"

    @override
    def carry_out(self) -> int:
        import shutil
        import textwrap

        from npvpg.runs import catalogue, environments
        from npvpg.show.numbers import duration

        rows = [("preset", "observations", "actions", "steps", "return", "time", "")]
        with environments.quiet():
            for each in catalogue.presets():
                ret = "" if each.ret is None else _number(each.ret)
                if each.interval is not None:
                    ret += f" ({_number(each.interval[0])} to {_number(each.interval[1])})"
                time = "" if each.seconds is None else duration(each.seconds)
                here = "" if each.here == "yes" else each.here
                rows.append(
                    (each.env, each.observations, each.actions, f"{each.steps:,}", ret, time, here)
                )
            others = catalogue.others()
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        for row in rows:
            cells = (
                f"{cell:>{width}}" if k in (3, 5) else f"{cell:<{width}}"
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            print("  ".join(cells).rstrip())
        print(
            "\nReturn of the sampled policy at the end: interquartile mean over 5 or 10 seeds, with"
            "\nits 95 % interval. Time of one run beside another, as docs/results.md has it."
        )
        width = min(shutil.get_terminal_size((80, 24)).columns, 100)
        print("\ninstalled as well, without a preset")
        print(
            textwrap.fill(
                "  ".join(others),
                width,
                initial_indent="  ",
                subsequent_indent="  ",
                break_on_hyphens=False,
            )
        )
        print("\nYour own: npvpg train ./my_env.py:MyEnv")
        return 0


@dataclass(frozen=True)
class Doctor(Command):
    """Show versions, threads, compiled kernels and extras, and try the whole on a short run."""

    name: ClassVar[str] = "doctor"

    @override
    def carry_out(self) -> int:
        from npvpg.jobs import health

        well = True
        for finding in health.findings():
            mark = {True: "ok", False: "NO", None: ""}[finding.well]
            print(f"{finding.about:<18}{mark:<4}{finding.text}", flush=True)
            well = well and finding.well is not False
        return 0 if well else 1


@dataclass(frozen=True)
class Completion(Command):
    """Print what completes commands and flags in a shell, to be read as the shell starts."""

    name: ClassVar[str] = "completion"

    shell: Annotated[Literal["bash", "zsh", "fish"], "SHELL"]
    """bash, zsh or fish. For bash: npvpg completion bash >> ~/.bashrc; for zsh the same with
    ~/.zshrc; for fish: npvpg completion fish > ~/.config/fish/completions/npvpg.fish"""

    @override
    def carry_out(self) -> int:
        from npvpg.command import completion

        kinds: dict[str, type[Command]] = {}
        for name, place in COMMANDS.items():
            module, kind = place.split(".")
            kinds[name] = getattr(importlib.import_module(f"npvpg.command.{module}"), kind)
        print(completion.script(self.shell, kinds), end="")
        return 0


def _number(x: float) -> str:
    """Write a return as docs/results.md does."""
    return f"{x:.1f}" if abs(x) < 100 else f"{x:,.0f}"
