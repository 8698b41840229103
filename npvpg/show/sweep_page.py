"""What a sweep came to: a table on the screen, and a page with the curves of the best."""

import base64
import html
from collections.abc import Mapping
from typing import Any

from npvpg.recent import RECENT
from npvpg.runs.files import write_atomically
from npvpg.runs.log import read_episodes
from npvpg.runs.modules import short
from npvpg.runs.sweep_directory import SweepDirectory
from npvpg.show import lines, pictures
from npvpg.show.board import Board
from npvpg.show.numbers import number

SHOWN = 10  # trials on the screen
DRAWN = 5  # trials in the picture

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } th, td { padding: .25rem .75rem; text-align: right }
th { border-bottom: 2px solid #0072B2 } td { border-bottom: 1px solid #ddd }
tr.beside td { background: #eef6fb } img { max-width: 100% }
"""


def settings(row: Mapping[str, Any]) -> str:
    """
    Write what sets a trial apart.

    Parameters
    ----------
    row : mapping
        A trial, as in `sweep.json`.

    Returns
    -------
    str
        Names and values.

    Examples
    --------
    >>> settings({"settings": {"hidden": (8, 8), "gamma": 0.9}})
    'hidden 8 8 · gamma 0.9'
    """
    return " · ".join(f"{name} {_value(value)}" for name, value in row["settings"].items())


def _value(value: Any) -> str:
    """Write one value as it is given on the command line."""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "none"
    return str(value)


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Write interquartile mean, its interval, and mean."""
    found = row["mean_return_100"]
    if found is None:
        return "failed" if row["failed"] else "stopped", "", ""
    interval = found["iqm_interval"]
    ends = "one seed" if interval is None else f"{number(interval[0])} to {number(interval[1])}"
    return number(found["iqm"]), ends, number(found["mean"])


def show(board: Board, summary: Mapping[str, Any], directory: SweepDirectory) -> None:
    """
    Print the best trials.

    Parameters
    ----------
    board : Board
        Where to.
    summary : mapping
        As in `sweep.json`.
    directory : SweepDirectory
        The sweep.
    """
    trials = summary["trials"]
    print_ = board.console.print
    print_()
    print_(f"{'trial':>6}{'IQM':>10}{'95% interval':>22}  settings", style="bold", soft_wrap=True)
    for row in trials[:SHOWN]:
        middle, ends, _ = _cells(row)
        text = f"{row['trial']:>6}{middle:>10}{ends:>22}  {settings(row)}"
        print_(text, soft_wrap=True, markup=False)
    print_()
    n = sum(row["beside_best"] for row in trials)
    if n > 1:
        text = f"{n} of {len(trials)} intervals reach that of the first: more seeds tell them apart"
        board.line("alike", text, "yellow")
    board.line("files", f"{directory.path}/ {directory.summary.name} {directory.report.name}")


def write(directory: SweepDirectory, summary: Mapping[str, Any]) -> None:
    """
    Write the page.

    Parameters
    ----------
    directory : SweepDirectory
        The sweep.
    summary : mapping
        As in `sweep.json`.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    trials = summary["trials"]
    names = list(trials[0]["settings"])
    head = ("", "trial", *names, "IQM", "95 % interval", "mean", "solved")
    rows = []
    for place, row in enumerate(trials, 1):
        values = (_value(row["settings"][name]) for name in names)
        solved = f"{row['solved']} of {len(summary['seeds'])}"
        cells = (str(place), str(row["trial"]), *values, *_cells(row), solved)
        kind = ' class="beside"' if row["beside_best"] else ""
        rows.append(f"<tr{kind}>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>")
    env = html.escape(short(summary["env"]))
    picture = base64.b64encode(_picture(directory, summary)).decode()
    failures = [
        f"<li>trial {row['trial']}, seed {seed}: {html.escape(text)}</li>"
        for row in trials
        for seed, text in row["failed"].items()
    ]
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sweep on {env}</title><style>{_STYLE}</style>
<h1>Sweep on {env}</h1>
<p>{len(trials)} trials of {len(summary["seeds"])} seeds. Return is the mean of the last {RECENT}
training episodes; IQM its interquartile mean over the seeds. The order is that of the lower end
of the 95 % bootstrap interval of the IQM. Shaded intervals reach that of the first: those trials
cannot be told apart by these seeds. The first of many is first by luck as well: train it with
other seeds before quoting its number.</p>
<table><tr>{"".join(f"<th>{html.escape(name)}</th>" for name in head)}</tr>
{chr(10).join(rows)}
</table>
<h2>The first {min(DRAWN, len(trials))}</h2>
<img alt="return against steps" src="data:image/png;base64,{picture}">
{f"<h2>Failed</h2><ul>{chr(10).join(failures)}</ul>" if failures else ""}
</html>
"""
    write_atomically(directory.report, page.encode())


def _picture(directory: SweepDirectory, summary: Mapping[str, Any]) -> bytes:
    """Draw return against steps of the first trials."""
    figure = pictures.figure(9, 5)
    axes = figure.add_subplot()
    for place, row in enumerate(summary["trials"][:DRAWN]):
        group = directory.trial(row["trial"])
        files = [group.run(seed).episodes for seed in summary["seeds"]]
        data = [read_episodes(file)[:2] for file in files if file.is_file()]
        lines.draw_group(axes, data, pictures.style(place), f"{row['trial']}: {settings(row)}")
    lines.decorate(axes, summary["env"], None)
    axes.set_ylabel(f"return, mean of {RECENT} episodes [reward]")
    pictures.legend_below(figure, 1)
    return pictures.drawn(figure, ".png")
