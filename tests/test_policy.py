from typing import Any

import numpy as np
import pytest

from npvpg.distributions import Categorical, DiagonalGaussian, Distribution, Product
from npvpg.mlp import MLP
from npvpg.policy import Policy

RNG = np.random.default_rng([92, 0])
DISCRETE = Policy(MLP((3, 5, 4)), Categorical(4))
FREE = Policy(MLP((3, 5, 2)), DiagonalGaussian(2), init_log_sigma=-0.5)
DEPENDENT = Policy(MLP((3, 5, 4)), DiagonalGaussian(2))
POLICIES = [DISCRETE, FREE, DEPENDENT]
MIXED = Product((DiagonalGaussian(1), Categorical(2), DiagonalGaussian(2)))


def test_theta_is_the_network_then_the_free_parameters() -> None:
    assert [p.size - p.network.size for p in POLICIES] == [0, 2, 0]
    assert FREE.init(RNG)[-2:].tolist() == [-0.5, -0.5]
    assert [p.n_obs for p in POLICIES] == [3, 3, 3]


def test_free_columns_are_those_of_the_log_sigmas() -> None:
    policy = Policy(MLP((1, 5)), MIXED)
    theta = np.zeros(policy.size)
    theta[5:] = np.arange(1, 9) / 8  # five biases, three log sigmas
    pi = policy.at(theta, np.ones((2, 1)))
    assert (8 * pi.params).tolist() == [[1, 6, 2, 3, 4, 5, 7, 8]] * 2
    assert np.array_equal(policy.params(theta, np.ones((2, 1))), pi.params)
    act, weight = np.ones((2, 4)), np.array([1.0, 2.0])
    each = MIXED.score(pi.params, act)
    want = np.tile(each[:, [0, 2, 3, 4, 5]], 2), each[:, [1, 6, 7]]
    assert np.array_equal(pi.score(act), np.concatenate(want, axis=1))
    np.testing.assert_allclose(pi.weighted_score(act, weight), weight @ pi.score(act), rtol=1e-14)
    np.testing.assert_allclose(pi.backward(each), pi.score(act).sum(axis=0), rtol=1e-14)
    assert pi.backward_obs(each).tolist() == [[0], [0]]


def test_in_words() -> None:
    words = [str(p) for p in POLICIES]
    assert words == [
        "categorical of 4",
        "Gaussian of 2 (free sigma)",
        "Gaussian of 2 (sigma by the network)",
    ]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(policy: Policy, dtype: type[Any]) -> None:
    theta = policy.init(RNG, dtype)
    obs = RNG.standard_normal((6, 3)).astype(dtype)
    noise, pi = policy.noise(RNG, 6), policy.at(theta, obs)
    act = pi.sample(noise)
    shape = (6,) if policy is DISCRETE else (6, 2)
    assert theta.dtype == dtype
    assert noise.shape == act.shape == pi.mode().shape == shape
    assert pi.n_rows == 6
    assert noise.dtype == np.float64
    assert act.dtype == (np.int64 if policy is DISCRETE else dtype)
    weight = np.ones(6)
    for result, want in [
        (pi.log_prob(act), (6,)),
        (pi.entropy(), (6,)),
        (pi.score(act), (6, policy.size)),
        (pi.weighted_score(act, weight), (policy.size,)),
        (pi.weighted_entropy_score(weight), (policy.size,)),
        (policy.params(theta, obs), (6, policy.distribution.n_params)),
    ]:
        assert result.shape == want
        assert result.dtype == dtype
    assert pi.kl(pi).shape == (6,)


@pytest.mark.parametrize("n", [1, 5, 300])
def test_rows_to_act_on_go_through_loops_and_those_to_learn_from_through_products(n: int) -> None:
    policy = Policy(MLP((17, 24, 2)), DiagonalGaussian(2))
    net = policy.network
    theta, obs = policy.init(RNG), RNG.standard_normal((301, 17))
    theta[:] = RNG.standard_normal(policy.size) / 4
    loops, products = (run(theta[: net.size], obs) for run in (net.forward_small, net.forward))
    assert not np.array_equal(loops, products)  # they round differently
    assert np.array_equal(policy.params(theta, obs[:n])[:, :2], loops[:n])
    assert np.array_equal(policy.at(theta, obs).params[:, :2], products)


def test_complex_numbers_go_through_matrix_products() -> None:
    theta, obs = FREE.init(RNG), RNG.standard_normal((6, 3))
    for t, o in ((theta + 0j, obs), (theta, obs + 0j)):
        params = FREE.params(t, o)
        assert params.dtype == np.complex128
        assert np.array_equal(params, FREE.at(t, o).params)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", [np.float64, np.int64, np.uint8, bool])
def test_observations_are_taken_in_the_precision_of_theta(policy: Policy, kind: type[Any]) -> None:
    theta, obs = policy.init(RNG, np.float32), RNG.integers(0, 2, (6, 3)).astype(kind)
    pi, same = policy.at(theta, obs), policy.at(theta, obs.astype(np.float32))
    assert np.array_equal(pi.params, same.params)
    assert np.array_equal(policy.params(theta, obs), policy.params(theta, obs.astype(np.float32)))
    act = pi.mode()
    for result in (pi.params, pi.log_prob(act), pi.score(act), pi.weighted_score(act, np.ones(6))):
        assert result.dtype == np.float32


def test_actions_may_be_a_list() -> None:
    pi = DISCRETE.at(DISCRETE.init(RNG), RNG.standard_normal((3, 3)))
    act, weight = np.array([3, 0, 1]), np.array([1.0, 2.0, 3.0])
    for given in ([3, 0, 1], [3.0, 0.0, 1.0]):
        assert np.array_equal(pi.log_prob(given), pi.log_prob(act))
        assert np.array_equal(pi.score(given), pi.score(act))
        assert np.array_equal(pi.weighted_score(given, weight), pi.weighted_score(act, weight))
    with pytest.raises(ValueError, match=r"^act must hold whole numbers, got bool$"):
        pi.weighted_score([True, False, True], weight)


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
    act, weight = policy.at(theta, obs).sample(noise), np.ones(6)
    for array in (theta, obs, noise, act, weight):
        array.flags.writeable = False
    pi = policy.at(theta, obs)
    params = pi.params.copy()
    pi.sample(noise)
    pi.score(act)
    pi.weighted_score(act, weight)
    pi.weighted_entropy_score(weight)
    pi.kl(pi)
    assert np.array_equal(pi.params, params)  # whatever was asked before


@pytest.mark.parametrize("policy", POLICIES)
def test_no_divergence_from_itself(policy: Policy) -> None:
    theta, obs = policy.init(RNG), RNG.standard_normal((6, 3))
    other = theta + 0.1 * RNG.standard_normal(policy.size)
    pi = policy.at(theta, obs)
    assert np.array_equal(pi.kl(pi), np.zeros(6))
    assert (pi.kl(policy.at(other, obs)) > 0).all()


@pytest.mark.parametrize(
    ("distribution", "fits", "rule"),
    [
        (Categorical(3), (3,), "3"),
        (DiagonalGaussian(2), (2, 4), "2 or 4"),
        (MIXED, (5, 8), "5 or 8"),
    ],
)
def test_the_network_must_fit(distribution: Distribution, fits: tuple[int, ...], rule: str) -> None:
    for sizes in ((3, 7), (3, fits[0], 7), (3, fits[-1] + 1), (3, fits[0] - 1)):
        message = f"^network must have {rule} outputs, got {sizes[-1]}$"
        with pytest.raises(ValueError, match=message):
            Policy(MLP(sizes), distribution)
    for n in fits:
        assert Policy(MLP((3, 5, n)), distribution).size > 0


@pytest.mark.parametrize("value", [-20.5, 2.5, float("nan")])
def test_the_first_log_sigma_lies_in_the_clamp(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^init_log_sigma must lie in \[-20, 2\], got {value}$"):
        Policy(MLP((1, 1)), DiagonalGaussian(1), init_log_sigma=value)


@pytest.mark.parametrize("value", [-20.0, 2.0])
def test_the_ends_of_the_clamp_belong_to_it(value: float) -> None:
    policy = Policy(MLP((1, 1)), DiagonalGaussian(1), init_log_sigma=value)
    assert policy.init(RNG)[-1] == value


@pytest.mark.parametrize("policy", POLICIES)
def test_arrays_of_another_shape_are_refused(policy: Policy) -> None:
    theta, obs = policy.init(RNG), np.zeros((6, 3))
    noise, pi = policy.noise(RNG, 6), policy.at(theta, obs)
    act = pi.sample(noise)
    for run in (policy.at, policy.params):
        with pytest.raises(ValueError, match=rf"^theta must have shape \({policy.size},\), got \("):
            run(theta[:-1], obs)
        with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \(6, 2\)$"):
            run(theta, obs[:, 1:])
    for method in (pi.score, pi.log_prob):
        with pytest.raises(ValueError, match=r"^act must have shape \(6,.*, got \(1,"):
            method(act[:1])
    with pytest.raises(ValueError, match=r"^noise must have shape \(6,.*, got \(1,"):
        pi.sample(noise[:1])
    with pytest.raises(ValueError, match=r"^other_params must have shape \(6, .*, got \(1,"):
        pi.kl(policy.at(theta, obs[:1]))
    for weight in (np.ones((6, 1)), np.ones(1)):
        with pytest.raises(ValueError, match=r"^weight must have shape \(6,\), got \("):
            pi.weighted_score(act, weight)
        with pytest.raises(ValueError, match=r"^weight must have shape \(6,\), got \("):
            pi.weighted_entropy_score(weight)
