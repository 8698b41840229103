import pytest

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.testing import TheoremError, check_policy
from tests.testing.planted_policies import PLANTED, Planted


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.policy}")
def test_every_planted_fault_breaks_its_theorem(planted: Planted) -> None:
    with pytest.raises(TheoremError) as caught:
        check_policy(planted.policy, max_examples=10)
    assert caught.value.theorem.name == planted.theorem


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("n_outputs", [2, 4])
def test_gaussian_policies_pass(activation: str, n_outputs: int) -> None:
    network = MLP((3, 4, 4, n_outputs), activation)  # type: ignore[arg-type]
    margins = check_policy(Policy(network, DiagonalGaussian(2)), max_examples=6)
    assert max(margin.ratio for margin in margins.values()) <= 1


def test_parameters_beyond_the_most_are_chosen_by_the_seed() -> None:
    margins = check_policy(Policy(MLP((4, 16, 16, 2)), Categorical(2)), max_examples=3)
    counts = {theorem.name: margin.n_compared for theorem, margin in margins.items()}
    assert counts["entropy score"] <= 3 * 200
    assert counts["EGLP"] == 3 * Policy(MLP((4, 16, 16, 2)), Categorical(2)).size
