"""N3: the figure that shows what looking n steps ahead is good for; slow without the compiler."""

import numpy as np
import pytest

from npvpg.studies.random_walk import BOOK, NS, TRUTH, errors, repetitions
from verification.claims import claim, observe, require
from verification.mathematics.strategies import random_seed


@claim(
    name="N3",
    title="Figure 7.2 of Sutton and Barto, and its minimum",
    statement=r"\min_{n,\alpha}\ \mathrm{RMS}(n,\alpha) \approx 0.26 \text{ at } n=4,"
    r"\ \alpha\approx 0.4",
    words="of n = 1 ... 512, four steps at 0.4 learn the random walk best, as in the book",
    assumptions="19 states, values 0 at first, mean over ten episodes; 400 repetitions, not 100",
    source="Sutton and Barto 2018, figure 7.2, digitised in IntroRL, chapter_7/figure_7_2.py",
    method="walks from the keyed stream; lowest points of the printed curves; not drawn by"
    " Hypothesis: a printed figure is one example",
    tolerance=0.02,
    tolerance_reason="RMS error; four standard errors of the book's 100 repetitions and ours",
    about=("npvpg.kernels.prediction.n_step_td", "npvpg.studies.random_walk.errors"),
)
def test_figure(request: pytest.FixtureRequest) -> None:
    seed = random_seed(request.config)
    sets = repetitions(seed, 400)
    padded = np.concatenate([[-1], TRUTH, [1]])
    observe(float(np.abs((padded[:-2] + padded[2:]) / 2 - TRUTH).max()), 1e-15, "Bellman")
    best = errors(sets, 4, 0.4)
    told = f"{seed=}: n = 4, alpha = 0.4: {best.mean():.4f}"
    observe(abs(float(best.mean()) - 0.26), 0.02, told)
    for n, (alpha, rms) in BOOK.items():
        have = float(errors(sets, n, alpha).mean())
        observe(abs(have - rms), 0.02, f"{seed=} {n=}: {have:.4f}, in the book {rms}")
    tenths = dict.fromkeys(NS, (0.1,)) | {1: (0.7, 0.8, 0.9), 2: (0.5, 0.6, 0.7), 8: (0.2, 0.3)}
    tenths[4] = (0.1, 0.2, 0.3, 0.5, 0.6, 1.0)
    for n, alphas in tenths.items():
        for alpha in (*alphas, 0.03) if n > 32 else alphas:
            gap = errors(sets, n, alpha) - best
            # the same walks for both: the mean gap is 15 of its standard errors or more
            require(gap.mean() > 5 * gap.std() / 20, f"{seed=} {n=} {alpha=}")
