"""The tables in a report of runs: results, warnings, settings, versions."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npvpg.runs import seeds as words
from npvpg.runs.alike import Alike
from npvpg.runs.config_file import configure
from npvpg.runs.diagnosis import ABOUT
from npvpg.runs.over_seeds import over_seeds
from npvpg.runs.record import Record, number
from npvpg.show import page
from npvpg.show.lines import reward_threshold
from npvpg.show.numbers import duration
from npvpg.show.numbers import number as told
from npvpg.show.page import element

_MODES = ("sampled", "greedy")
_BEST = ("best", "evaluation", "sampled", "mean")

_MEANT = (
    "Return: mean of the last 100 episodes of the training. Sampled, greedy: evaluation episodes "
    "at the end, drawn from the policy, and its most probable actions{}. Of several runs the "
    "interquartile mean, with the 95 % bootstrap interval over seeds below; of one, the mean over "
    "its episodes. A dash: not all of the runs have it."
)


def results(
    groups: Sequence[Alike], records: Sequence[Sequence[Record]], labels: Sequence[str]
) -> str:
    """
    Lay out what the runs of each group come to, and below, folded, each of them.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.
    records : sequence of sequence of Record
        Their runs.
    labels : sequence of str
        What sets each apart, where the groups have shorter names.

    Returns
    -------
    str
        HTML.
    """
    every = [one for each in records for one in each]
    best = any(number(one.summary, *_BEST) is not None for one in every)
    head = ("", "runs", "steps", "return", "solved", *_MODES, *("best",) * best, "time of a run")
    rows = [
        _group(_two(each.label, label if label != each.label else ""), own, best)
        for each, own, label in zip(groups, records, labels, strict=True)
    ]
    whole = page.table(head, rows, numbers=len(head) - 1)
    best_told = "; best: sampled from the best policy of the evaluations on the way" * best
    whole += element("p", _MEANT.format(best_told), class_="dim")
    if len(every) > 1:
        head = ("run", "seed", "steps", "return", "solved at", *_MODES, "time")
        whole += page.folded("Every run", page.table(head, map(_run, every), numbers=len(head) - 1))
    return whole


def _group(name: str, records: Sequence[Record], best: bool) -> tuple[str, ...]:
    """Lay out a group."""
    numbers = [one.curve.settings.get("seed") for one in records]
    known = tuple(sorted(seed for seed in numbers if isinstance(seed, int)))
    name = name or f"seed{'s' * (len(known) > 1)} {words.text(known) or '?'}"
    solved = [number(one.summary, "solved_at_step") for one in records]
    at = [step for step in solved if step is not None]
    left = sum(not one.curve.ended for one in records)
    below = []
    if at:
        below.append(f"step {np.median(at):,.0f}" + " in the median" * (len(at) > 1))
    if left:
        below.append(f"{left} not finished")
    env = records[0].curve.settings.get("env")
    goal = at or (isinstance(env, str) and reward_threshold(env) is not None)
    evaluated = [_interval(records, "evaluation", mode) for mode in _MODES]
    evaluated += [_interval(records, *_BEST[:-1])] * best
    seconds = [x for one in records if (x := number(one.summary, "seconds")) is not None]
    steps = [one.steps for one in records if one.steps is not None]
    return (
        name,
        str(len(records)),
        f"{np.median(steps):,.0f}" if steps else "–",
        _over([one.score for one in records]),
        _two(f"{len(at)} of {len(records)}", ", ".join(below)) if goal else "–",
        *evaluated,
        duration(float(np.median(seconds))) if seconds else "–",
    )


def _over(values: Sequence[float | None]) -> str:
    """Write the middle of one number a run, and its interval."""
    found = over_seeds(values)
    if found is None:
        return "–"
    low, high = found["iqm_interval"] or (None, None)
    return _two(told(found["iqm"]), "" if low is None else f"{told(low)} to {told(high)}")


def _interval(records: Sequence[Record], *way: str) -> str:
    """Write what evaluations returned: over seeds, or over the episodes of a single run."""
    if len(records) > 1:
        return _over([number(one.summary, *way, "mean") for one in records])
    score = [number(records[0].summary, *way, name) for name in ("mean", "low", "high")]
    mean, low, high = score
    if mean is None:
        return "–"
    return _two(told(mean), "" if low is None else f"{told(low)} to {told(high)}")


def _two(text: str, below: str) -> str:
    """Write a text, and a small one below it."""
    return html.escape(text) + (element("small", html.escape(below)) if below else "")


def _run(record: Record) -> tuple[str, ...]:
    """Lay out a run."""
    solved, seconds = (number(record.summary, name) for name in ("solved_at_step", "seconds"))
    return (
        html.escape(str(record.curve.path)),
        html.escape(str(record.curve.settings.get("seed", "?"))),
        "–" if record.steps is None else f"{record.steps:,}",
        "–" if record.score is None else told(record.score),
        "–" if solved is None else f"{solved:,.0f}",
        *(told(number(record.summary, "evaluation", mode, "mean")) for mode in _MODES),
        "–" if seconds is None else duration(seconds),
    )


def warnings(records: Sequence[Sequence[Record]]) -> str:
    """
    List the warnings of the runs, each with what it means.

    Parameters
    ----------
    records : sequence of sequence of Record
        The runs of every group.

    Returns
    -------
    str
        HTML.
    """
    every = [one for each in records for one in each]
    found: dict[str, list[tuple[Record, str]]] = {}
    for one in every:
        for text in one.warnings:
            said, _, section = text.rstrip(")").partition(" (docs/diagnostics.md#")
            found.setdefault(section, []).append((one, said))
    if not found:
        return element("p", "No run warned of anything.") if any(o.summary for o in every) else ""
    items, about = "", ""
    for section, by in found.items():
        told_by = ", ".join(str(one.curve.path) for one, _ in by)
        text = html.escape(by[0][1])
        link = element("a", text, href=f"#{section}") if section in ABOUT else text
        runs = f" {len(by)} of {len(every)} runs: {told_by}." if len(every) > 1 else ""
        items += element("li", link + "." * (link[-1:] != ".") + html.escape(runs))
        if section in ABOUT:
            about += element("dt", html.escape(section.replace("-", " ")), id=section)
            about += element("dd", _code(ABOUT[section]))
    where = "More of each in docs/diagnostics.md, under the same heading."
    whole = element("h2", "Warnings") + element("ul", items, class_="warn")
    return whole + (element("dl", about) + element("p", where, class_="dim") if about else "")


def _code(text: str) -> str:
    """Set flags as code."""
    return re.sub(r"--[a-z-]+[a-z]", lambda flag: f"<code>{flag[0]}</code>", html.escape(text))


def settings(groups: Sequence[Alike], records: Sequence[Sequence[Record]]) -> str:
    """
    Lay out what differs between the groups, and from the preset of the environment.

    Parameters
    ----------
    groups : sequence of Alike
        The groups.
    records : sequence of sequence of Record
        Their runs.

    Returns
    -------
    str
        HTML.
    """
    tables = [_values(each) for each in records]
    env = next((table["env"] for table in tables if isinstance(table.get("env"), str)), None)
    usual = vars(configure(env)) if env else {}
    names = dict.fromkeys(name for table in (usual, *tables) for name in table)
    rows = []
    for name in names:
        values = [_text(table[name]) if name in table else "–" for table in tables]
        preset = _text(usual[name]) if name in usual else "–"
        if name not in ("env", "seed") and any(value != preset for value in values):
            apart = len(set(values)) > 1
            head = element("b", html.escape(name)) if apart else html.escape(name)
            rows.append((not apart, (head, *map(html.escape, (preset, *values)))))
    if not rows:
        return element("p", f"All are those of the preset of {html.escape(str(env))}.")
    heads = [each.label or "these runs" for each in groups]
    preset_told = "All others are those of the preset, or the general defaults where there is none."
    if len(groups) > 1:
        preset_told += " Bold: what sets the groups apart."
    ordered = [row for _, row in sorted(rows, key=lambda pair: pair[0])]
    return page.table(("", "preset", *heads), ordered) + element("p", preset_told, class_="dim")


def _values(records: Sequence[Record]) -> Mapping[str, Any]:
    """Give the settings of a group, whole if a run has them whole."""
    whole = next((one.config for one in records if one.config is not None), None)
    return vars(whole) if whole is not None else records[0].curve.settings


def _text(value: object) -> str:
    """Write a setting."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={item}" for key, item in value.items()) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def versions(records: Sequence[Sequence[Record]]) -> str:
    """
    Lay out what the runs were made with.

    Parameters
    ----------
    records : sequence of sequence of Record
        The runs of every group.

    Returns
    -------
    str
        HTML; empty if no run says so.
    """
    known = [one.versions for each in records for one in each if one.versions]
    names = dict.fromkeys(name for each in known for name in each)
    rows = [
        (
            html.escape(name),
            html.escape(", ".join(dict.fromkeys(each[name] for each in known if name in each))),
        )
        for name in names
    ]
    return (
        element("h2", "Versions") + page.table(("", "version"), rows, cards=False) if rows else ""
    )
