from typing import Any

import numpy as np
import pytest

from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.mlp import MLP, SMALL_BATCH
from npvpg.policy import Policy

RNG = np.random.default_rng([92, 0])
DISCRETE = Policy(MLP((3, 5, 4)), Categorical(4))
FREE = Policy(MLP((3, 5, 2)), DiagonalGaussian(2, init_log_sigma=-0.5))
DEPENDENT = Policy(MLP((3, 5, 4)), DiagonalGaussian(2, state_dependent=True))
POLICIES = [DISCRETE, FREE, DEPENDENT]


def test_theta_is_the_network_then_the_free_parameters() -> None:
    assert [p.size - p.network.size for p in POLICIES] == [0, 2, 0]
    assert FREE.init(RNG)[-2:].tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(policy: Policy, dtype: type[Any]) -> None:
    theta = policy.init(RNG, dtype)
    obs = RNG.standard_normal((6, 3)).astype(dtype)
    noise = policy.noise(RNG, 6)
    act = policy.act(theta, obs, noise)
    shape = (6,) if policy is DISCRETE else (6, 2)
    assert theta.dtype == dtype
    assert noise.shape == act.shape == policy.mode(theta, obs).shape == shape
    assert noise.dtype == np.float64
    assert act.dtype == (np.int64 if policy is DISCRETE else dtype)
    weight = np.ones(6)
    for result, want in [
        (policy.log_prob(theta, obs, act), (6,)),
        (policy.entropy(theta, obs), (6,)),
        (policy.score(theta, obs, act), (6, policy.size)),
        (policy.weighted_score(theta, obs, act, weight), (policy.size,)),
        (policy.weighted_entropy_score(theta, obs, weight), (policy.size,)),
    ]:
        assert result.shape == want
        assert result.dtype == dtype
    assert policy.kl(theta, theta, obs).shape == (6,)


def test_few_rows_go_through_loops_and_many_through_matrix_products() -> None:
    policy = Policy(MLP((17, 24, 2)), DiagonalGaussian(2))
    net, law = policy.network, policy.distribution
    theta, obs = policy.init(RNG), RNG.standard_normal((SMALL_BATCH + 1, 17))
    theta[:] = RNG.standard_normal(policy.size) / 4
    noise, free = policy.noise(RNG, SMALL_BATCH + 1), theta[net.size :]
    loops = law.sample(net.forward_small(theta[: net.size], obs), free, noise)
    products = law.sample(net.forward(theta[: net.size], obs), free, noise)
    assert not np.array_equal(loops, products)  # they round differently
    for n in (1, SMALL_BATCH - 1, SMALL_BATCH):
        assert np.array_equal(policy.act(theta, obs[:n], noise[:n]), loops[:n])
    assert np.array_equal(policy.act(theta, obs, noise), products)


@pytest.mark.parametrize("types", [(np.complex128, np.complex128), (np.float32, np.float64)])
def test_numbers_that_no_kernel_takes_go_through_matrix_products(types: tuple[Any, Any]) -> None:
    theta, obs = FREE.init(RNG).astype(types[0]), RNG.standard_normal((6, 3)).astype(types[1])
    noise, size = FREE.noise(RNG, 6), FREE.network.size
    out = FREE.network.forward(theta[:size], obs)
    want = FREE.distribution.sample(out, theta[size:], noise)
    assert np.array_equal(FREE.act(theta, obs, noise), want)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_first_policy_hardly_sees_the_observation(policy: Policy) -> None:
    theta = policy.init(RNG)
    obs = RNG.standard_normal((50, 3))
    out = policy.network.forward(theta[: policy.network.size], obs)
    assert np.abs(out).max() < 0.1


@pytest.mark.parametrize("policy", POLICIES)
def test_the_draws_follow_from_the_generator(policy: Policy) -> None:
    one, same = (policy.init(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, same)
    first, again = (policy.noise(np.random.default_rng(5), 9) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("policy", POLICIES)
def test_noise_drawn_in_blocks_is_the_same_noise(policy: Policy) -> None:
    rng = np.random.default_rng(6)
    pieces = [policy.noise(rng, n) for n in (3, 1, 4)]
    assert np.array_equal(np.concatenate(pieces), policy.noise(np.random.default_rng(6), 8))


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_written_to(policy: Policy) -> None:
    theta, obs, noise = policy.init(RNG), RNG.standard_normal((6, 3)), policy.noise(RNG, 6)
    act, weight = policy.act(theta, obs, noise), np.ones(6)
    for array in (theta, obs, noise, act, weight):
        array.flags.writeable = False
    policy.act(theta, obs, noise)
    policy.score(theta, obs, act)
    policy.weighted_score(theta, obs, act, weight)
    policy.weighted_entropy_score(theta, obs, weight)
    policy.kl(theta, theta, obs)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_divergence_from_itself(policy: Policy) -> None:
    theta, obs = policy.init(RNG), RNG.standard_normal((6, 3))
    other = theta + 0.1 * RNG.standard_normal(policy.size)
    assert np.array_equal(policy.kl(theta, theta, obs), np.zeros(6))
    assert (policy.kl(theta, other, obs) > 0).all()


@pytest.mark.parametrize(
    ("distribution", "n_outputs"),
    [(Categorical(3), 3), (DiagonalGaussian(2), 2), (DiagonalGaussian(2, True), 4)],
)
def test_the_network_must_fit(distribution: Any, n_outputs: int) -> None:
    with pytest.raises(ValueError, match=f"^network must have {n_outputs} outputs, got 5$"):
        Policy(MLP((3, 5)), distribution)
    with pytest.raises(ValueError, match=f"^network must have {n_outputs} outputs, got 5$"):
        Policy(MLP((3, n_outputs, 5)), distribution)
    assert Policy(MLP((3, 5, n_outputs)), distribution).size > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_arrays_of_another_shape_are_refused(policy: Policy) -> None:
    theta, obs = policy.init(RNG), np.zeros((6, 3))
    noise = policy.noise(RNG, 6)
    act = policy.act(theta, obs, noise)
    with pytest.raises(ValueError, match=rf"^theta must have shape \({policy.size},\), got \("):
        policy.entropy(theta[:-1], obs)
    with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \(6, 2\)$"):
        policy.log_prob(theta, obs[:, 1:], act)
    with pytest.raises(ValueError, match=r"^act must have shape \(6,.*, got \(1,"):
        policy.score(theta, obs, act[:1])
    with pytest.raises(ValueError, match=r"^noise must have shape \(6,.*, got \(1,"):
        policy.act(theta, obs, noise[:1])
    for weight in (np.ones((6, 1)), np.ones(1)):
        with pytest.raises(ValueError, match=r"^weight must have shape \(6,\), got \("):
            policy.weighted_score(theta, obs, act, weight)
        with pytest.raises(ValueError, match=r"^weight must have shape \(6,\), got \("):
            policy.weighted_entropy_score(theta, obs, weight)
