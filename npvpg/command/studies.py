"""The commands of the studies: work something out, print a table, draw, print the path."""
# ruff: noqa: PLC0415

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from typing_extensions import override

from npvpg import checks
from npvpg.command.parser import Command
from npvpg.show.pictures import SUFFIXES, check_suffix


@dataclass(frozen=True)
class Exact(Command):
    """Draw exact bias, variance and error of every estimator in a random finite process."""

    name: ClassVar[str] = "exact"

    states: int = 3
    """Number of states, the absorbing one left out."""

    actions: int = 2
    """Number of actions."""

    horizon: Annotated[int, "STEPS"] = 5
    """Steps after which an episode is cut."""

    gamma: float = 1.0
    """Discount of the objective, in [0, 1]."""

    episodes: Annotated[int, "EPISODES"] = 1000
    """Episodes in a batch."""

    error: float = 2.0
    """Error of the value function, in standard deviations of V."""

    seed: int = 0
    """Seed of process, policy and error."""

    out: Annotated[Path, "FILE"] = Path("exact.png")
    """Picture to write."""

    def __post_init__(self) -> None:
        """Refuse what is no process, batch or picture."""
        checks.at_least(1, states=self.states, actions=self.actions, horizon=self.horizon)
        checks.unit_interval(gamma=self.gamma)
        checks.at_least(2, episodes=self.episodes)
        checks.at_least(0, error=self.error)
        _check(self.seed, self.out)

    @override
    def carry_out(self) -> int:
        from npvpg.studies import exact, exact_picture

        asked = exact.study(
            self.states,
            self.actions,
            self.horizon,
            self.gamma,
            self.episodes,
            self.error,
            self.seed,
        )
        print(exact.table(asked))
        exact_picture.draw(self.out, asked)
        print(self.out)
        return 0


@dataclass(frozen=True)
class Groups(Command):
    """Show exact bias and variance of episodes compared in groups (RLOO, GRPO), beside play."""

    name: ClassVar[str] = "groups"

    group: Annotated[int, "EPISODES"] = 4
    """Episodes of a group, all from one first state."""

    states: int = 2
    """Number of states, the absorbing one left out."""

    actions: int = 2
    """Number of actions."""

    horizon: Annotated[int, "STEPS"] = 2
    """Steps after which an episode is cut."""

    gamma: float = 1.0
    """Discount of the objective, in [0, 1]."""

    episodes: Annotated[int, "EPISODES"] = 1000
    """Episodes in a batch."""

    seed: int = 0
    """Seed of process, policy and play."""

    def __post_init__(self) -> None:
        """Refuse what is no process or no batch."""
        checks.at_least(1, states=self.states, actions=self.actions, horizon=self.horizon)
        checks.at_least(2, group=self.group)
        checks.at_least(self.group, episodes=self.episodes)
        checks.unit_interval(gamma=self.gamma)
        checks.at_least(0, seed=self.seed)

    @override
    def carry_out(self) -> int:
        from npvpg.studies import exact, groups

        sizes = self.states, self.actions, self.horizon
        lab = exact.study(*sizes, self.gamma, self.episodes, 0.0, self.seed).lab
        print(groups.table(lab, self.group, self.episodes, self.seed))
        return 0


@dataclass(frozen=True)
class RandomWalk(Command):
    """Draw the error of n-step learning on a random walk: figure 7.2 of Sutton and Barto."""

    name: ClassVar[str] = "random-walk"

    repetitions: int = 100
    """Number of repetitions, of ten walks each."""

    seed: int = 0
    """Seed of the walks."""

    out: Annotated[Path, "FILE"] = Path("random-walk.png")
    """Picture to write."""

    def __post_init__(self) -> None:
        """Refuse what there cannot be."""
        checks.at_least(1, repetitions=self.repetitions)
        _check(self.seed, self.out)

    @override
    def carry_out(self) -> int:
        from npvpg.studies import random_walk

        found = random_walk.curves(random_walk.repetitions(self.seed, self.repetitions))
        print(random_walk.table(found))
        random_walk.draw(self.out, found, self.repetitions)
        print(self.out)
        return 0


@dataclass(frozen=True)
class Analytic(Command):
    """Compare gradients through reward and dynamics with score-function gradients."""

    name: ClassVar[str] = "analytic"

    episodes: Annotated[int, "EPISODES"] = 2000
    """Episodes that variances are measured on."""

    seed: int = 0
    """Seed of network, first states and noise."""

    out: Annotated[Path, "FILE"] = Path("analytic.png")
    """Picture to write."""

    def __post_init__(self) -> None:
        """Refuse what there cannot be."""
        checks.at_least(16, episodes=self.episodes)
        _check(self.seed, self.out)

    @override
    def carry_out(self) -> int:
        from npvpg.studies import analytic, systems

        settings = {
            "linear-quadratic": systems.quadratic(),
            "Pendulum-v1": systems.pendulum(self.seed),
        }
        found = {
            name: analytic.variances(setting, self.episodes, self.seed)
            for name, setting in settings.items()
        }
        print(analytic.table(found))
        analytic.draw(self.out, found, self.seed)
        print(self.out)
        return 0


@dataclass(frozen=True)
class Variance(Command):
    """Measure the gradient variance of all weights at the policy and V of runs."""

    name: ClassVar[str] = "variance"

    runs: Annotated[tuple[Path, ...], "RUN"]
    """Directories of runs that have a value function; their last checkpoints are measured."""

    episodes: Annotated[int, "EPISODES"] = 400
    """Episodes that variances are measured on, for every run."""

    seed: int = 0
    """Seed of the episodes, and of the process whose variances are exact."""

    out: Annotated[Path, "FILE"] = Path("variance.png")
    """Picture to write."""

    def __post_init__(self) -> None:
        """Refuse what there cannot be."""
        checks.at_least(3, episodes=self.episodes)
        _check(self.seed, self.out)

    @override
    def carry_out(self) -> int:
        from npvpg.runs import environments
        from npvpg.studies import variance, variance_picture

        with environments.quiet():
            panels = variance.measure_all(self.runs, self.episodes, self.seed)
        print(variance.table(panels))
        variance_picture.draw(self.out, panels)
        print(self.out)
        return 0


@dataclass(frozen=True)
class Explain(Command):
    """Take one update of a run apart: what every step has in the gradient."""

    name: ClassVar[str] = "explain"

    run: Annotated[Path, "RUN"]
    """Directory of the run."""

    update: Annotated[int | None, "K"] = None
    """Number of the update, from 1, as in metrics.csv; the run is trained again as far as that.
    Unless given, the one that would follow its last checkpoint."""

    rows: Annotated[int, "STEPS"] = 20
    """Steps to list, those that have most in the gradient first."""

    out: Annotated[Path | None, "FILE"] = None
    """File to write: all steps as .csv, a picture as .png, .pdf or .svg, or as .html a page on
    which one gives those listed another weight and sees how the gradient would move; none unless
    given."""

    def __post_init__(self) -> None:
        """Refuse what there cannot be."""
        checks.at_least(1, rows=self.rows, update=self.update)
        known = (".csv", ".html", *SUFFIXES)
        if self.out is not None and self.out.suffix.lower() not in known:
            raise ValueError(f"out must end in {', '.join(known)}, got {self.out}")

    @override
    def carry_out(self) -> int:
        from npvpg.runs import environments
        from npvpg.runs.directory import RunDirectory
        from npvpg.runs.evaluation import trained
        from npvpg.runs.log import read_metrics
        from npvpg.studies import explain, explain_page, explain_picture

        with environments.quiet(), trained(self.run) as at:
            logged = read_metrics(RunDirectory(self.run).metrics)["grad_norm"]
            found = explain.explain(at, self.update, logged)
        print(explain.summary(found))
        print(explain.table(found, self.rows))
        if self.out is not None:
            if self.out.suffix.lower() == ".csv":
                explain.write_csv(self.out, found)
            elif self.out.suffix.lower() == ".html":
                explain_page.write(self.out, found, self.rows)
            else:
                explain_picture.draw(self.out, found)
            print(self.out)
        return 0


def _check(seed: int, out: Path) -> None:
    """Refuse what no study can use."""
    checks.at_least(0, seed=seed)
    check_suffix(out)
