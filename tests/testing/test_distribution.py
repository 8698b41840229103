import numpy as np
import pytest

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.testing import TheoremError, check_distribution
from tests.testing.planted_laws import PLANTED, Faultless, Planted, ScoreOfWrongSign


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.law}")
def test_every_planted_fault_breaks_its_theorem(planted: Planted) -> None:
    with pytest.raises(TheoremError) as caught:
        check_distribution(planted.law, support=planted.support, max_examples=20)
    assert caught.value.theorem.name == planted.theorem
    assert not caught.value.error <= caught.value.allowed


@pytest.mark.parametrize("law", [Categorical(2), DiagonalGaussian(3)])
def test_what_hands_on_to_a_right_law_passes(law: Categorical | DiagonalGaussian) -> None:
    margins = check_distribution(Faultless(law), max_examples=10)
    assert max(margin.ratio for margin in margins.values()) <= 1


def test_the_smallest_input_is_told_the_same_in_every_run() -> None:
    told = []
    for _ in range(2):
        with pytest.raises(TheoremError) as caught:
            check_distribution(ScoreOfWrongSign(Categorical(2)))
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert np.array_equal(caught.value.inputs["params"], [0.001, 0.002])
    assert "ScoreOfWrongSign(categorical of 2) breaks score: score = ∂ log π(a)" in told[0]
