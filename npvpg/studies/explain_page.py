"""The page of an update taken apart, on which one gives steps another weight."""

import html
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from npvpg.lab.reweighting import Reweighting, blocks, reweighting
from npvpg.show import page, pictures
from npvpg.show.page import element
from npvpg.studies import explain, explain_picture
from npvpg.studies.explain import Explained

SCRIPT = Path(__file__).with_suffix(".js")
MOST = 90_000  # numbers on the page, 20 characters each
_REACH = 3  # a slider reaches so many times the largest weight

_WORDS = """<p>A step of the batch adds Φ <i>u</i> to the gradient, where <i>u</i> is its score
∇log π(a|s), divided as the sum over the batch is. With another Φ the gradient would be
<i>g′</i> = <i>g</i> + Σ (Φ′ − Φ) <i>u</i>, exactly, for it is linear in the weights. Change some,
and see how each block of θ would move. Φ is the weight as the update uses it, after any
standardising; what an optimiser makes of the gradient is not shown.</p>"""

_CONTROLS = """<p class="now"><output id="told"></output>
<button type="button" id="reset">As it was</button>
<button type="button" id="leave">All to 0</button>
<button type="button" id="turn">Turn the signs</button></p>"""

_NUMBER = '<data data-of="{}" value=""></data>'
_OF_BLOCK = ("before", "after", "cosine")
_BARS = '<span class="bar was"></span><span class="bar is"></span>'


def write(path: Path, found: Explained, n: int) -> None:
    """
    Write the page.

    Parameters
    ----------
    path : Path
        The file, written atomically.
    found : Explained
        The update.
    n : int
        How many steps to show, those that have most in the gradient.

    Raises
    ------
    ValueError
        If they are more than a page can hold.
    OSError
        If the page cannot be written.
    """
    steps = np.argsort(-np.abs(found.parts.share), kind="stable")[:n]
    asked = asked_of(found, steps)
    head, *lines = explain.summary(found).splitlines()
    head = head.partition(": ")[2]
    body = (
        element("p", html.escape(head), class_="lead"),
        element("pre", html.escape("\n".join(lines))),
        _pictures(found),
        element("h2", "What if they had weighed otherwise?"),
        _WORDS,
        _CONTROLS,
        element("div", _blocks(asked) + _steps(found, steps), class_="beside"),
    )
    page.write(
        path,
        f"Update {found.update}, taken apart",
        "\n".join(body),
        script=SCRIPT.read_text(encoding="utf-8"),
        data={
            name: part.tolist() if isinstance(part, np.ndarray) else part
            for name, part in asked._asdict().items()
        },
    )


def asked_of(found: Explained, steps: NDArray[np.intp]) -> Reweighting:
    """
    Work out what the page must know of some steps.

    Parameters
    ----------
    found : Explained
        The update.
    steps : ndarray of int, shape (K,)
        Their numbers in the batch.

    Returns
    -------
    Reweighting
        Scalar products of their scores.

    Raises
    ------
    ValueError
        If they are more than a page can hold.
    """
    most = math.isqrt(MOST // (len(blocks(found.policy)) + 1))
    if len(steps) > most:
        raise ValueError(f"rows must be at most {most} on a page of this policy, got {len(steps)}")
    return reweighting(
        found.policy.at(found.theta, found.batch.obs[steps]),
        found.batch.act[steps],
        found.psi[steps],
        found.factor[steps],
        found.grad,
        found.entropy_weight,
    )


def _pictures(found: Explained) -> str:
    """Draw the update."""
    shares, weights = pictures.figure(5.2, 3.4), pictures.figure(5.2, 3.4)
    explain_picture.draw_shares(shares.add_subplot(), found)
    explain_picture.draw_weights(weights.add_subplot(), found)
    pictures.legend_below(weights)
    drawn = page.picture(shares, "share of every step in the gradient")
    drawn += page.picture(weights, "weight of every step against its log-probability")
    return element("div", drawn, class_="pictures")


def _steps(found: Explained, steps: NDArray[np.intp]) -> str:
    """Lay out the steps, each with a field and a slider for its weight."""
    every = explain.rows(found)
    reach = f"{_REACH * float(np.abs(found.psi[steps]).max()):.6g}"
    rows = []
    for row in (every[step] for step in steps):
        which = f"trajectory {row['trajectory']}, step {row['step']}"
        field = f'<input type="number" step="any" aria-label="weight of {which}">'
        slider = (
            f'<input type="range" step="any" min="-{reach}" max="{reach}" '
            f'aria-label="weight of {which}, slider">'
        )
        rows.append(
            (
                f"{row['trajectory']} · {row['step']}",
                html.escape(row["action"]),
                _signed(f"{row['log_prob']:.3f}"),
                f"{row['score_norm']:.4g}",
                _signed(f"{row['share']:+.2%}"),
                _NUMBER.format("share"),
                field + slider,
            )
        )
    head = ("trajectory · step", "action", "log π", "|score|", "share", "share now", "Φ")
    return page.table(head, rows, numbers=5, id="steps")


def _blocks(asked: Reweighting) -> str:
    """Lay out the blocks of theta."""
    rows = (
        (f"{name}<small>{size:,}</small>{_BARS}", *map(_NUMBER.format, _OF_BLOCK))
        for name, size in zip(asked.blocks, asked.sizes, strict=True)
    )
    head = ("block", "|g|", "|g′|", "cosine")
    return page.table(head, rows, numbers=3, cards=False, id="blocks")


def _signed(text: str) -> str:
    """Write a number with the sign that is as wide as a plus."""
    return text.replace("-", "−")
