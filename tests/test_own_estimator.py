"""An estimator of a user's own: as few lines as it takes, and treated by what it declares."""

from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from npvpg import estimators
from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.command.main import main
from npvpg.distributions import Categorical
from npvpg.estimators import Estimator, LeaveOneOut, RewardToGo, TotalReturn
from npvpg.lab.analytic import play
from npvpg.lab.exact import Laboratory, random_process
from npvpg.mlp import MLP
from npvpg.optimizers import Linear
from npvpg.policy import Policy
from npvpg.runs.evaluation import trained
from npvpg.studies import analytic, systems, variance
from npvpg.value import MLPValue
from npvpg.world.streams import Purpose, generator
from verification import flat


# from here
class Whole(Estimator):
    """TotalReturn, written by someone who has not seen it."""

    name, formula = "whole", "Φₜ = Σₖ γᵏ rₖ"
    uses_value, from_start, needs_whole_episodes = False, True, True

    def weigh(self, rew: Any, val: Any, last_val: Any, start: Any) -> Any:
        rows = [rew[a:b] for a, b in pairwise(start)]
        return np.concatenate([[x @ self.gamma ** np.arange(len(x))] * len(x) for x in rows])


# to here
class Rivals(Whole):
    """LeaveOneOut, likewise."""

    name, formula = "rivals", "Φₜ = (K R(τₖ) − Σⱼ R(τⱼ)) / (K − 1)"
    compares_trajectories: ClassVar[bool] = True

    def weigh(self, rew: Any, val: Any, last_val: Any, start: Any) -> Any:
        ret, n = super().weigh(rew, val, last_val, start), len(start) - 1
        return (n * ret - ret[start[:-1]].sum()) / (n - 1)


class Best(Rivals):
    def weigh(self, rew: Any, val: Any, last_val: Any, start: Any) -> Any:
        return super().weigh(rew, val, last_val, start) ** 2


GAMMA = 0.7


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    process = random_process(np.random.default_rng(1), 3, 2, 4, GAMMA)
    return Laboratory(process, np.random.default_rng(2).standard_normal(8))


@pytest.mark.parametrize(("own", "ours"), [(Whole, TotalReturn), (Rivals, LeaveOneOut)])
def test_the_exact_laboratory_knows_it_by_what_it_declares(
    own: type[Estimator], ours: type[Estimator], lab: Laboratory
) -> None:
    mine, theirs = (lab.moments(kind(GAMMA), n_trajectories=4) for kind in (own, ours))
    assert np.linalg.norm(mine.bias) < 1e-14 * np.linalg.norm(lab.gradient)
    np.testing.assert_allclose(mine.covariance, theirs.covariance, rtol=1e-12, atol=1e-15)


def test_of_those_that_compare_the_laboratory_refuses_what_it_cannot_sum(lab: Laboratory) -> None:
    message = r"^estimator must compare as LeaveOneOut does, got Best\(gamma=0.7\)$"
    with pytest.raises(ValueError, match=message):
        lab.moments(Best(GAMMA), n_trajectories=4)
    with pytest.raises(ValueError, match="n_trajectories must be at least 2, got 1"):
        lab.moments(Rivals(GAMMA))


@pytest.mark.parametrize("kind", [Whole, Rivals, TotalReturn, LeaveOneOut])
def test_the_algorithm_discounts_it_once_and_gives_it_whole_episodes(
    kind: type[Estimator],
) -> None:
    policy, value = Policy(MLP((1, 2)), Categorical(2)), MLPValue(MLP((1, 1)))
    own, lr = kind(GAMMA), Linear(0.1, 0.1)
    assert flat.vpg(policy, value, own, WholeEpisodes(2), lr).weigh.estimator == own
    with pytest.raises(ValueError, match=f"^discount_weights must be off with {kind.name}: "):
        flat.vpg(policy, value, own, WholeEpisodes(2), lr, discount_weights=True)
    with pytest.raises(ValueError, match=f"^estimator must not be {kind.name} with a fixed hor"):
        flat.vpg(policy, value, own, FixedHorizon(8), lr)


def test_measured_variances_discount_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = "--steps 128 --envs 2 --hidden 8 --horizon 16 --evaluation-episodes 0"
    monkeypatch.chdir(tmp_path)
    assert main(f"train CartPole-v1 --algorithm vpg {short} --out run".split()) == 0
    monkeypatch.setattr(
        variance, "weights", lambda _: {"ours": TotalReturn(GAMMA), "own": Whole(GAMMA)}
    )
    with trained(Path("run")) as at:
        found = variance.measure(at, 8, 0)
    assert found["own"].total == pytest.approx(found["ours"].total)


def test_the_analytic_study_discounts_it_once() -> None:
    setting = systems.quadratic()
    rng = generator(0, Purpose.STUDY, 0)
    noise = rng.standard_normal((5, 32, setting.system.n_act))
    path = play(setting.system, setting.policy, setting.theta, setting.first(rng, 32), noise)
    ours, own = (
        analytic.score_gradients(setting, path, kind(systems.GAMMA))
        for kind in (TotalReturn, Whole)
    )
    np.testing.assert_allclose(own, ours, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "missing", ["name", "formula", "uses_value", "from_start", "needs_whole_episodes"]
)
def test_a_declaration_left_out_is_named_as_the_class_is_defined(missing: str) -> None:
    body = {word: getattr(Whole, word) for word in Whole.__dict__ if not word.startswith("__")}
    assert type("Own", (Estimator,), body)
    del body[missing]
    with pytest.raises(TypeError, match=f"^Own must declare {missing}$"):
        type("Own", (Estimator,), body)


def test_what_is_abstract_declares_what_it_likes() -> None:
    class WithoutValue(Estimator):
        uses_value = False

    with pytest.raises(TypeError, match="abstract"):
        WithoutValue(GAMMA)  # type: ignore[abstract]
    with pytest.raises(TypeError, match=r"^Own must declare name, formula, from_start, needs"):
        type("Own", (WithoutValue,), {"weigh": Whole.weigh})


def test_it_is_checked_as_any_other() -> None:
    arrays = np.ones(3), np.zeros(3), np.zeros(1), np.array([0, 3])
    assert Whole(0.5)(*arrays).tolist() == [1.75] * 3
    with pytest.raises(ValueError, match=r"^gamma must lie in \[0, 1\], got 2$"):
        Whole(2)
    with pytest.raises(ValueError, match=r"^val must have shape \(3,\), got \(1,\)$"):
        Whole(0.5)(arrays[0], np.zeros(1), *arrays[2:])
    column = type("Column", (Whole,), {"weigh": lambda self, rew, *_: rew[:, np.newaxis]})
    with pytest.raises(ValueError, match=r"^psi must have shape \(3,\), got \(3, 1\)$"):
        column(0.5)(*arrays)


def test_twelve_lines_make_one() -> None:
    lines = Path(__file__).read_text().split("# from here\n")[1].split("# to here")[0].split("\n")
    assert len([line for line in lines if line.strip()]) <= 12


def test_names_and_labels() -> None:
    names = list(estimators.NAMED)
    assert names == [
        "total-return",
        "leave-one-out",
        "reward-to-go",
        "baseline",
        "td",
        "n-step",
        "gae",
        "q",
        "advantage",
    ]
    every = [estimators.named(name, gamma=0.9, lam=0.8, n=3) for name in names]
    assert [each.label for each in every[:5]] == names[:5]
    assert [each.label for each in every[5:]] == ["n-step(3)", "gae(0.8)", "q(0.8)", "gae(0.8)"]
    assert every[7].constants == {"gamma": 0.9, "lam": 0.8}
    assert RewardToGo(0.9).constants == {"gamma": 0.9}
    with pytest.raises(ValueError, match=r"^estimator must be one of total-return, .*, got 'ga'$"):
        estimators.named("ga", gamma=0.9, lam=0.8, n=3)
