from typing import Any

import numpy as np
import pytest

from npvpg.distributions import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Distribution,
    GreedyCategorical,
    Product,
    SquashedGaussian,
    with_mode,
)

NORMAL = DiagonalGaussian(2)
LAWS = [
    Categorical(3),
    GreedyCategorical(Categorical(3), probability=0.5),
    Bernoulli(2),
    NORMAL,
    SquashedGaussian(NORMAL, half_width=(1.0, 2.0)),
    Product((NORMAL,)),
    Product((Categorical(2), NORMAL, Bernoulli(1))),
]


def results(law: Distribution, params: Any, noise: Any, act: Any) -> list[Any]:
    """All that a law is asked."""
    return [
        law.sample(params, noise),
        law.mode(params),
        law.log_prob(params, act),
        law.score(params, act),
        law.entropy(params),
        law.entropy_score(params),
        law.kl(params, params[::-1]),
    ]


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_what_is_returned_is_fresh_and_what_is_given_is_left_as_it_was(law: Distribution) -> None:
    rng = np.random.default_rng([96, 1])
    params, noise = rng.standard_normal((4, law.n_params)), law.noise(rng, 4)
    given = params, noise, law.sample(params, noise)
    for array in given:
        array.flags.writeable = False
    for result in results(law, *given):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, array) for array in given)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_no_row_sees_another(law: Distribution) -> None:
    rng = np.random.default_rng([96, 2])
    params, noise = rng.standard_normal((4, law.n_params)), law.noise(rng, 4)
    act = law.sample(params, noise)
    whole = results(law, params, noise, act)[:-1]
    for t in range(4):
        alone = results(law, params[[t]], noise[[t]], act[[t]])[:-1]
        for one, all_rows in zip(alone, whole, strict=True):
            np.testing.assert_allclose(one[0], all_rows[t], rtol=1e-14)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_list_of_actions_means_the_same_as_an_array(law: Distribution) -> None:
    rng = np.random.default_rng([96, 3])
    params = rng.standard_normal((4, law.n_params))
    act = law.sample(params, law.noise(rng, 4))
    for method in (law.log_prob, law.score):
        assert np.array_equal(method(params, act.tolist()), method(params, act))
        with pytest.raises(ValueError, match=r"^act must hold (whole )?numbers, got bool$"):
            method(params, act.astype(bool))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_only_a_categorical_is_mixed_with_its_mode(law: Distribution) -> None:
    if isinstance(law, Categorical):
        assert with_mode(law, 0.25) == GreedyCategorical(law, probability=0.25)
        return
    with pytest.raises(
        ValueError, match=r"^greedy must be 0 unless actions are one Discrete, got "
    ):
        with_mode(law, 0.25)
