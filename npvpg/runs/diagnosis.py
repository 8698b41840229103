"""Live diagnostics: what the numbers of a run say of it, each in one line, once."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from npvpg.runs.log import read_metrics
from npvpg.runs.progress import Progress
from npvpg.runs.ready import Run

PAGE = "docs/diagnostics.md"

ABOUT = {
    "kl-jumps": "The gradient is that of the policy which acted; so far away it says nothing any "
    "more. Look at --policy-lr first, then --max-grad-norm, then the scale of rewards "
    "(--reward-scale, --standardize).",
    "clipped-actions": "The environment does the same whatever is drawn beyond its bounds, and the "
    "score of a draw that changed nothing is noise. Look at --init-log-sigma, --action-bound, and "
    "whether the action space is the one that was meant.",
    "explained-variance": "A V that explains nothing is no baseline, and bootstrapping from it "
    "adds error. Returns that hardly vary look the same. Look at --value-lr, --value-steps, "
    "--normalize-rewards.",
    "entropy-collapse": "The policy does the same thing every time and cannot learn from what it "
    "does not try. Look at the sign and the size of --entropy-weight, at --policy-lr, and at "
    "rewards whose sign is wrong.",
    "gradient-noise": "Halves of the batch do not agree on a direction. Look at the environment "
    "first: does the reward follow from the action? Then at larger batches (--envs, --horizon).",
}
"""What each section of the page says, in short."""

KL = 0.1  # nat: a policy that moves that far in one update is another one
CLIPPED = 0.8  # share of the actions: a good policy may clip half of them, as on Pendulum-v1
RECENT = 20  # updates that clipped actions are averaged over
WINDOW, PATIENCE, EXPLAINED = 10, 50, 0.05  # updates, updates, share of the variance
DISCRETE, NATS = 0.05, 3.0  # of the first entropy; per dimension, sigma 20 times narrower
COSINES, ERRORS = 40, 0.5  # looks at the gradient; standard errors above zero


class Diagnosis:
    """
    Looks at every update of a run, and says once what is wrong with it.

    Parameters
    ----------
    run : Run
        The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._dims = len(run.algorithm.policy.distribution.scale_columns)
        self._has_value = not run.algorithm.value.is_zero
        self._said: set[str] = set()
        self._first_entropy: float | None = None
        self._clipped: list[float] = []
        self._explained: list[float] = []
        self._best_explained = -np.inf
        self._cosines: list[float] = []

    def of_before(self, start: Progress) -> list[str]:
        """
        Look at the updates of a run that goes on.

        Parameters
        ----------
        start : Progress
            Where it goes on.

        Returns
        -------
        list of str
            What has been said of them.
        """
        if not start.metrics_rows:
            return []
        columns = read_metrics(self._run.directory.metrics)
        solved_at = np.inf if start.solved_at_step is None else start.solved_at_step
        rows = (
            {name: float(c[i]) for name, c in columns.items()} for i in range(start.metrics_rows)
        )
        return [text for row in rows for text in self.look(row, row["steps"] >= solved_at)]

    def look(self, row: Mapping[str, float | None], solved: bool) -> list[str]:
        """
        Look at an update.

        Parameters
        ----------
        row : mapping of str to float or None
            Its diagnostics; what is missing, None or NaN is passed over.
        solved : bool
            Whether the environment has been solved: a policy that is good enough need not explore,
            nor be told where to go.

        Returns
        -------
        list of str
            Warnings that have not been said yet, each with the section of the page about it.
        """
        known = {name: x for name, x in row.items() if x is not None and not math.isnan(x)}
        found = [
            (section, text)
            for section, text in self._found(known, solved)
            if section not in self._said
        ]
        self._said |= {section for section, _ in found}
        return [f"{text} ({PAGE}#{section})" for section, text in found]

    def _found(self, row: Mapping[str, float], solved: bool) -> Iterator[tuple[str, str]]:
        """Give the section and the text of all that is wrong with an update."""
        if row.get("kl", 0.0) > KL:
            yield "kl-jumps", f"one update moved the policy by a KL of {row['kl']:.2g} nat"
        if "clipped" in row:
            self._clipped = [*self._clipped[1 - RECENT :], row["clipped"]]
            share = float(np.mean(self._clipped))
            if len(self._clipped) == RECENT and share > CLIPPED:
                yield "clipped-actions", f"{share:.0%} of the actions are clipped to their bounds"
        if "explained_variance" in row and self._has_value:
            yield from self._value(row["explained_variance"])
        if "entropy" in row and not solved:
            yield from self._entropy(row["entropy"])
        if "grad_cosine" in row and not solved:
            self._cosines.append(row["grad_cosine"])
            if len(self._cosines) >= COSINES:
                error = float(np.std(self._cosines)) / len(self._cosines) ** 0.5
                if np.mean(self._cosines) < ERRORS * error:
                    n = len(self._cosines)
                    yield (
                        "gradient-noise",
                        f"the gradient is mostly noise: halves of {n} batches agree no more than "
                        "by chance",
                    )

    def _value(self, explained: float) -> Iterator[tuple[str, str]]:
        """Say whether V has never explained anything."""
        self._explained.append(explained)
        if len(self._explained) > PATIENCE:
            return
        if len(self._explained) >= WINDOW:
            now = float(np.mean(self._explained[-WINDOW:]))
            self._best_explained = max(self._best_explained, now)
        if len(self._explained) == PATIENCE and self._best_explained < EXPLAINED:
            yield (
                "explained-variance",
                f"V has explained nothing of the returns in {PATIENCE} updates",
            )

    def _entropy(self, entropy: float) -> Iterator[tuple[str, str]]:
        """Say whether the policy hardly explores any more."""
        if self._first_entropy is None:
            self._first_entropy = entropy
        first = self._first_entropy
        gone = first - entropy > NATS * self._dims if self._dims else entropy < DISCRETE * first
        if gone:
            yield (
                "entropy-collapse",
                f"the policy hardly explores any more: entropy {entropy:.2g}, at first {first:.2g} "
                "nat",
            )
