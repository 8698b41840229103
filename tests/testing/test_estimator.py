import pytest

from npvpg import estimators
from npvpg.estimators import ActionValue, Estimator, TDResidual, TotalReturn
from npvpg.testing import TheoremError, check_estimator
from tests.testing.planted_estimators import PLANTED, Planted, TailNotNeeded


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.kind.__name__)
def test_every_planted_fault_breaks_its_theorem(planted: Planted) -> None:
    with pytest.raises(TheoremError) as caught:
        check_estimator(planted.kind(0.9), max_examples=20)
    assert caught.value.theorem.name == planted.theorem


@pytest.mark.parametrize(
    "estimator",
    [estimators.named(name, gamma=0.9, lam=0.7, n=2) for name in sorted(estimators.NAMED)]
    + [ActionValue(TDResidual(0.5))],
    ids=str,
)
def test_every_estimator_of_the_library_passes(estimator: Estimator) -> None:
    margins = check_estimator(estimator, max_examples=12)
    assert max(margin.ratio for margin in margins.values()) <= 1


def test_without_a_discount_nothing_is_from_the_start() -> None:
    assert check_estimator(TotalReturn(1.0), max_examples=5)


def test_what_is_never_seen_is_told() -> None:
    with pytest.raises(TheoremError, match="found = no bias where episodes are cut"):
        check_estimator(TailNotNeeded(0.9), max_examples=5)
