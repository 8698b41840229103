"""From the runs of a suite to one table and one picture, published numbers beside them."""

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, flatdim

from npvpg.recent import RECENT
from npvpg.runs import environments
from npvpg.runs.catalogue import EXPECTED
from npvpg.runs.config import Config
from npvpg.runs.files import write_atomically
from npvpg.runs.group import GroupDirectory
from npvpg.runs.log import read_episodes
from npvpg.runs.over_seeds import OverSeeds, over_seeds
from npvpg.show import lines, pictures
from verification.learning.published import SOURCES, Published, published

PAGE = Path(__file__).parents[2] / "docs" / "results.md"  # whose figures the package knows
COLUMNS = 4  # of panels in the picture
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


class Row(NamedTuple):
    """
    What the runs of one environment came to.

    Attributes
    ----------
    config : Config
        The configuration, with the first seed.
    seeds : tuple of int
        Seeds that count: 0, 1, 2 ... up to the first whose run has no end.
    sampled : OverSeeds
        Return of the policy that trains, mean of the last 100 episodes [reward].
    greedy : OverSeeds or None
        Return of the greedy policy after training [reward]; None where nothing was evaluated.
    seconds : float
        Median wall-clock time of a run.
    """

    config: Config
    seeds: tuple[int, ...]
    sampled: OverSeeds
    greedy: OverSeeds | None
    seconds: float


def read_row(directory: GroupDirectory) -> Row | None:
    """
    Read what the runs of one environment came to.

    Parameters
    ----------
    directory : GroupDirectory
        The group.

    Returns
    -------
    Row or None
        None if the run of its first seed has no end, or no episode ended in any run.

    Raises
    ------
    ValueError
        If the group cannot be read.
    """
    config, seeds = directory.read()
    unfinished = directory.unfinished(seeds)
    done = seeds[: seeds.index(unfinished[0])] if unfinished else seeds
    found: list[dict[str, Any]] = [
        json.loads(directory.run(seed).summary.read_text(encoding="utf-8")) for seed in done
    ]
    sampled = over_seeds([run["mean_return_100"] for run in found])
    if sampled is None:
        return None
    greedy = over_seeds([(run["evaluation"] or {}).get("greedy", {}).get("mean") for run in found])
    return Row(config, done, sampled, greedy, float(np.median([run["seconds"] for run in found])))


def read(folder: Path, envs: Sequence[str]) -> list[Row]:
    """
    Read a folder of groups.

    Parameters
    ----------
    folder : Path
        Where the group of each environment lies, under its name.
    envs : sequence of str
        Environments, in the order of the table; those without a finished run are left out.

    Returns
    -------
    list of Row
        A row for each environment that has one.

    Raises
    ------
    ValueError
        If there is none, or a group cannot be read.
    """
    groups = [GroupDirectory(folder / env) for env in envs]
    rows = [read_row(group) for group in groups if group.exists()]
    found = [row for row in rows if row is not None]
    if not found:
        raise ValueError(f"{folder} must hold a finished run, got none")
    return found


def table(rows: Sequence[Row]) -> str:
    """
    Write the table of results.

    Parameters
    ----------
    rows : sequence of Row
        The results.

    Returns
    -------
    str
        Markdown, and below it where the published numbers come from.
    """
    lines = [
        "| environment | steps | seeds | sampled return at the end | greedy | published | s |",
        "|---|---|---|---|---|---|---|",
    ]
    used: dict[str, None] = {}
    for row in rows:
        others = published(row.config.env)
        used |= dict.fromkeys(other.source for other in others)
        cells = (
            row.config.env,
            count(row.config.steps),
            str(len(row.seeds)),
            interval(row.sampled),
            "" if row.greedy is None else number(row.greedy["iqm"]),
            "; ".join(map(_other, others)),
            f"{row.seconds:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    sources = [f"* {SOURCES[key].label}: {SOURCES[key].text}." for key in SOURCES if key in used]
    return "\n".join([*lines, "", *sources])


def count(steps: int) -> str:
    """
    Write a number of steps.

    Parameters
    ----------
    steps : int
        The number.

    Returns
    -------
    str
        In thousands or millions.

    Examples
    --------
    >>> count(300_000), count(1_000_000)
    ('300 k', '1 M')
    """
    return f"{steps / 1e6:g} M" if steps >= 1_000_000 else f"{steps / 1e3:g} k"


def number(x: float) -> str:
    """
    Write a return: a digit after the point below a hundred, none above.

    Parameters
    ----------
    x : float
        The return [reward].

    Returns
    -------
    str
        With the minus sign of a hyphen, as in the code.

    Examples
    --------
    >>> number(-51.26), number(1253.4)
    ('-51.3', '1,253')
    """
    return f"{x:.1f}" if abs(x) < 100 else f"{x:,.0f}"


def interval(result: OverSeeds) -> str:
    """
    Write an interquartile mean with its interval.

    Parameters
    ----------
    result : OverSeeds
        The result; a single seed has no interval.

    Returns
    -------
    str
        "391 (354 to 428)" and the like.
    """
    ends = result["iqm_interval"]
    between = "" if ends is None else f" ({number(ends[0])} to {number(ends[1])})"
    return f"**{number(result['iqm'])}**{between}"


def _other(other: Published) -> str:
    """Write a published number."""
    return f"{other.value:,g} ({SOURCES[other.source].label}, {count(other.steps)})"


def draw(picture: Path, folder: Path, rows: Sequence[Row]) -> None:
    """
    Draw return against steps: a panel for each environment.

    Parameters
    ----------
    picture : Path
        The picture to write, atomically.
    folder : Path
        Where the runs lie.
    rows : sequence of Row
        The results.
    """
    n_rows = -(-len(rows) // COLUMNS)
    figure = pictures.figure(3.6 * COLUMNS, 2.8 * n_rows, dpi=110)
    panels = figure.subplots(n_rows, COLUMNS, squeeze=False).ravel()
    for axes in panels[len(rows) :]:
        axes.set_visible(False)
    for axes, row in zip(panels, rows, strict=False):
        env, group = row.config.env, GroupDirectory(folder / row.config.env)
        data = [read_episodes(group.run(seed).episodes)[:2] for seed in row.seeds]
        lines.draw_group(axes, data, pictures.STYLES[0]._replace(marker=""), env)
        lines.decorate(axes, None, f"{env}, {len(data)} seed{'s' * (len(data) > 1)}")
        axes.set_xlabel("")
        for other in published(env)[:1]:
            axes.axhline(other.value, color="0.3", linestyle="--", linewidth=1)
            axes.annotate(
                f"{SOURCES[other.source].label}, {count(other.steps)}",
                (0.98, other.value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                fontsize=7,
                color="0.3",
            )
    figure.supxlabel("environment steps of all sub-environments", fontsize=9)
    figure.supylabel(f"sampled return, mean of {RECENT} episodes [reward]", fontsize=9)
    pictures.save(figure, picture)


def expected(page: str) -> str:
    """
    Take from the table of a page what to expect of each preset.

    Parameters
    ----------
    page : str
        The page, with a table that `table` wrote.

    Returns
    -------
    str
        TOML, a table an environment, for `npvpg.runs.catalogue`.
    """
    lines = ["# Written beside docs/results.md: python -m verification.learning --write FOLDER", ""]
    between = page.partition(BEGIN)[2].partition(END)[0]
    for cells in (line.split(" | ") for line in between.splitlines() if line.startswith("| ")):
        found = re.fullmatch(r"\*\*(\S+)\*\*(?: \((\S+) to (\S+)\))?", cells[3])
        if found is None:
            continue
        env, (ret, *ends) = cells[0].strip("| "), (part or "" for part in found.groups())
        with contextlib.closing(environments.make_for(Config(env), 1)) as made:
            space = getattr(made, "bounded_action_space", made.single_action_space)
            seen = flatdim(made.single_observation_space)
        lines += [f'["{env}"]', f'observations = "{seen} numbers"', f'actions = "{_said(space)}"']
        lines += [f"return = {ret.replace(',', '')}"]
        if all(ends):
            lines.append(f"interval = [{', '.join(end.replace(',', '') for end in ends)}]")
        lines += [f"seconds = {cells[-1].strip('| ')}", ""]
    return "\n".join(lines)


def _said(space: Space[Any]) -> str:
    """Say what actions are."""
    if isinstance(space, Discrete):
        return f"{space.n} choices"
    assert isinstance(space, Box)
    low, high = space.low.min(), space.high.max()
    return f"{space.shape[0]} in [{low:g}, {high:g}]"


def write(folder: Path, page: Path, envs: Sequence[str]) -> str:
    """
    Put the table into a page, between its marks, and the picture beside it.

    Parameters
    ----------
    folder : Path
        Where the runs lie.
    page : Path
        Markdown that holds the marks; the picture takes its name, with .png.
    envs : sequence of str
        Environments, in the order of the table.

    Returns
    -------
    str
        The table.

    Raises
    ------
    ValueError
        If the page has no marks, or the folder no finished run.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} must hold {BEGIN} and {END} for the table, got neither or one")
    rows = read(folder, envs)
    written = table(rows)
    whole = f"{before}{BEGIN}\n{written}\n{END}{after}"
    write_atomically(page, whole.encode())
    if page.resolve() == PAGE:
        write_atomically(EXPECTED, expected(whole).encode())
    draw(page.with_suffix(".png"), folder, rows)
    return written
