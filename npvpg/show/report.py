"""The report of runs: one page with all that they have left, which needs nothing else."""

import html
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np

from npvpg.runs import again, alike
from npvpg.runs.alike import Alike, Curve
from npvpg.runs.config_file import dumps
from npvpg.runs.modules import short
from npvpg.runs.record import Record, of_metric, read
from npvpg.runs.series import Y_LABELS
from npvpg.show import comparing, page, pictures, plot, report_tables
from npvpg.show.page import element
from npvpg.show.report_film import films

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 24  # letters of a label in a picture; what is longer gets a letter for a name
WIDTH, HEIGHT, ROW = 5.2, 3.3, 0.2  # so that text is large enough on a telephone [inch]


def write(path: Path, runs: Sequence[Path]) -> list[str]:
    """
    Write the report of runs.

    Runs are put together that differ in nothing but the seed, as `npvpg.show.plot.curve` does.

    Parameters
    ----------
    path : Path
        The page to write, atomically.
    runs : sequence of Path
        Directories of runs on one environment.

    Returns
    -------
    list of str
        What is missing in it, and why: a line each. They stand in it as well.

    Raises
    ------
    ValueError
        If no run is given or can be read, or they are of several environments.
    OSError
        If the page cannot be written.
    """
    curves, notes = alike.read(runs)
    groups, more = alike.group(curves)
    notes += more
    env = plot.environment(groups)
    records = []
    for each in groups:
        found = [read(one) for one in each.curves]
        records.append([record for record, _ in found])
        notes += [note for _, own in found for note in own]
    labels = [each.label for each in groups]
    if max(map(len, labels)) > LONGEST:
        groups = alike.labelled(groups, [_letter(number) for number in range(len(groups))])
    name = short(env) if env else "runs"
    count = sum(map(len, records))
    runs_text = f"{count} run{'s' * (count > 1)}"
    title = f"{name}: {runs_text}" + (f" in {len(groups)} groups" if len(groups) > 1 else "")
    learning, missing = _learning(groups, records)
    notes += missing
    body = (
        _notes(notes),
        report_tables.results(groups, records, labels),
        _compared(groups),
        element("h2", "Learning"),
        learning,
        element("h2", "Diagnostics"),
        _diagnostics(groups, records),
        report_tables.warnings(records),
        films(records, path),
        element("h2", "Settings"),
        report_tables.settings(groups, records),
        element("h2", "Make it again"),
        _again(groups, records),
        report_tables.versions(records),
    )
    page.write(path, title, "\n".join(part for part in body if part))
    return notes


def _letter(number: int) -> str:
    """Name a group of many: A to Z, then A1 and so on."""
    return ascii_uppercase[number % 26] + (str(number // 26) if number > 25 else "")


def _notes(notes: Sequence[str]) -> str:
    """Say what is missing."""
    items = "".join(element("li", html.escape(note)) for note in notes)
    return element("ul", items, class_="warn") if items else ""


def _compared(groups: Sequence[Alike]) -> str:
    """Say which group ends better, and draw who ends above what."""
    lines = comparing.compared(groups)
    if not lines:
        return ""
    figure = _figure(groups)
    comparing.draw_profile(figure.add_subplot(), groups)
    pictures.legend_below(figure, 1)
    return (
        element("h2", "Comparison")
        + element("ul", "".join(element("li", html.escape(line)) for line in lines))
        + page.picture(
            figure, "performance profile", "The higher a line, the more runs end above a return."
        )
    )


def _figure(groups: Sequence[Alike]) -> "Figure":
    """Begin a figure with room for a row of the legend for each group, and two others."""
    return pictures.figure(WIDTH, HEIGHT + ROW * (len(groups) + 2))


def _learning(
    groups: Sequence[Alike], records: Sequence[Sequence[Record]]
) -> tuple[str, list[str]]:
    """Draw the returns, and those of the evaluations on the way; say what is missing."""
    figure = _figure(groups)
    missing = plot.draw(figure.add_subplot(), groups)
    pictures.legend_below(figure, 1)
    drawn = page.picture(figure, "return against environment steps")
    if any(len(one.evaluations) for each in records for one in each):
        evaluated = [
            replace(group, curves=tuple(map(_evaluated, each)))
            for group, each in zip(groups, records, strict=True)
        ]
        figure = _figure(groups)
        plot.draw(figure.add_subplot(), evaluated, "return of evaluation episodes [reward]")
        pictures.legend_below(figure, 1)
        drawn += page.picture(figure, "return of evaluations on the way, sampled")
    return element("div", drawn, class_="pictures"), missing


def _evaluated(record: Record) -> Curve:
    """Put the evaluations of a run in the place of its episodes."""
    nothing = np.empty(0)
    found = record.evaluations
    return replace(
        record.curve, step=found.get("steps", nothing), ret=found.get("sampled", nothing)
    )


def _diagnostics(groups: Sequence[Alike], records: Sequence[Sequence[Record]]) -> str:
    """Draw every column of the metrics."""
    names = dict.fromkeys(name for each in records for one in each for name in one.metrics)
    drawn = ""
    for name in names:
        figure = pictures.figure(WIDTH, HEIGHT)
        plot.draw(figure.add_subplot(), of_metric(groups, name), name)
        drawn += page.picture(figure, f"{Y_LABELS.get(name, name)} against environment steps")
    if not drawn:
        return element("p", "There are none: no metrics can be read.")
    told = "A point an update." + " Colours and dashes as above." * (sum(map(len, records)) > 1)
    return element("p", told, class_="dim") + element("div", drawn, class_="pictures")


def _again(groups: Sequence[Alike], records: Sequence[Sequence[Record]]) -> str:
    """Give the command for every group."""
    parts = []
    for group, each in zip(groups, records, strict=True):
        whole = [one.config for one in each if one.config is not None]
        if group.label and len(groups) > 1:
            parts.append(element("h3", html.escape(group.label)))
        if not whole:
            parts.append(element("p", "Not known: the configuration is not whole."))
            continue
        seeds = tuple(sorted({config.seed for config in whole}))
        command = shlex.join(again.command(whole[0], seeds))
        parts.append(element("pre", html.escape(command)))
        parts.append(page.folded("config.toml", element("pre", html.escape(dumps(whole[0])))))
    return "".join(parts)
