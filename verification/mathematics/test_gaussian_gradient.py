"""E6 and E7: continuous actions from end to end without sampling, and a step that climbs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.batch import Batch
from npvpg.distributions import DiagonalGaussian
from npvpg.estimators import BaselinedReturn, RewardToGo, TotalReturn, named
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Adam
from npvpg.policy import Policy
from verification.claims import claim, observe
from verification.mathematics.lab import Case, cases, laboratory
from verification.oracles import mdp as exact
from verification.oracles.derivatives import central_difference, complex_step
from verification.oracles.quadrature import noise_sequences

DECAY = 0.9  # x' = DECAY x + COUPLING a
COUPLING = np.array([[1.0, 0.5], [-0.25, 1.0]])
FIRST = np.array([[0.7, -0.4], [-1.1, 0.3]])  # the episode begins in one of the two
CHANCE = np.array([0.25, 0.75])


def _reward(x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
    """Quadratic cost of where it is and what it does; no ``abs``, so that it may be complex."""
    return np.asarray(-(x * x).sum(axis=-1) - 0.3 * ((a - 0.2) ** 2).sum(axis=-1))


def _play(
    act: Callable[[NDArray[Any], NDArray[np.float64]], NDArray[Any]],
    dim: int,
    noise: NDArray[np.float64],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """States (M, H + 1, D), actions and rewards of every first state with every noise."""
    first = np.repeat(FIRST[:, :dim], len(noise), axis=0)
    again = np.tile(noise, (len(FIRST), 1, 1))
    states, actions, rewards = [first], [], []
    for t in range(noise.shape[1]):
        a = act(states[-1], again[:, t])
        rewards.append(_reward(states[-1], a))
        actions.append(a)
        states.append(DECAY * states[-1] + a @ COUPLING[:dim, :dim].T)
    return np.stack(states, axis=1), np.stack(actions, axis=1), np.stack(rewards, axis=1)


def _objective(
    theta: NDArray[Any], dim: int, dependent: bool, gamma: float, horizon: int, nodes: int
) -> Any:
    """J by quadrature over the noise, the policy written out by hand; theta may be complex."""
    n_out = 2 * dim if dependent else dim
    weight, bias = theta[: dim * n_out].reshape(dim, n_out), theta[dim * n_out :][:n_out]
    free = theta[dim * n_out + n_out :]

    def act(x: NDArray[Any], noise: NDArray[np.float64]) -> NDArray[Any]:
        out = x @ weight + bias
        log_sigma = out[:, dim:] if dependent else free
        return np.asarray(out[:, :dim] + np.exp(log_sigma) * noise)

    noise, chance = noise_sequences(nodes, dim, horizon)
    _, _, rewards = _play(act, dim, noise)
    return np.outer(CHANCE, chance).ravel() @ rewards @ (gamma ** np.arange(horizon))


def _expected(
    theta: NDArray[np.float64],
    dim: int,
    dependent: bool,
    gamma: float,
    horizon: int,
    nodes: int,
    estimator: Any,
    limit: float = np.inf,
) -> NDArray[np.float64]:
    """Expected gradient by the library: its sampler, estimator and score at every node."""
    policy = Policy(MLP((dim, (1 + dependent) * dim)), DiagonalGaussian(dim))
    noise, chance = noise_sequences(nodes, dim, horizon)
    states, actions, rewards = _play(lambda x, e: policy.at(theta, x).sample(e), dim, noise)
    n = len(rewards)
    batch = Batch(
        states[:, :-1].reshape(-1, dim),
        np.clip(actions, -limit, limit).reshape(-1, dim),
        rewards.ravel(),
        np.arange(n + 1) * horizon,
        states[:, -1],
        np.ones(n, bool),
    )
    # any function of the state will do for V where nothing is bootstrapped
    val = 2 - (batch.obs * batch.obs).sum(axis=1)
    psi = estimator(batch.rew, val, np.zeros(n), batch.start)
    weight = psi * np.repeat(np.outer(CHANCE, chance).ravel() * n, horizon)
    discount = None if estimator.from_start else gamma
    return policy_gradient(policy.at(theta, batch.obs), batch, weight, discount=discount)


def _parameters(seed: int, dim: int, dependent: bool) -> NDArray[np.float64]:
    """
    Draw parameters whose deviation does not depend on the state *at* theta.

    Everything is then a polynomial in the noise and three nodes are exact; the derivative with
    respect to that dependence need not vanish.
    """
    rng = np.random.default_rng([66, seed])
    n_out = 2 * dim if dependent else dim
    weight, bias = 0.5 * rng.standard_normal((dim, n_out)), 0.5 * rng.standard_normal(n_out)
    if dependent:
        weight[:, dim:] = 0
    free = np.zeros(0) if dependent else 0.5 * rng.standard_normal(dim)
    return np.concatenate([weight.ravel(), bias, free])


CASES = st.tuples(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(1, 3), (1, 2), (2, 2), (1, 1), (2, 1)]),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)


@claim(
    name="E6",
    title="The gradient of a Gaussian policy, from end to end",
    statement=r"\nabla_\theta J = E\Bigl[\sum_t\gamma^t\,"
    r"\nabla_\theta\log\mathcal N(a_t;\mu_\theta(x_t),\sigma_\theta)\,\Phi_t\Bigr],"
    r"\qquad x_{t+1} = A x_t + B a_t",
    words="on a linear system with quadratic cost the score gradient is the pathwise gradient",
    assumptions="finite horizon; sigma constant at theta, so that three nodes are exact",
    source="Spinning Up, part 3; Sutton and Barto 2018, 13.7",
    method="tensor Gauss-Hermite; the gradient of J by complex step through the dynamics",
    tolerance=1e-12,
    tolerance_reason="relative to the gradient; up to 1500 trajectories of alternating weight",
    about=(
        "npvpg.distributions.gaussian.DiagonalGaussian",
        "npvpg.policy.PolicyAt.sample",
        "npvpg.policy.PolicyAt.weighted_score",
        "npvpg.gradient.policy_gradient",
        "npvpg.estimators.RewardToGo",
    ),
)
@given(CASES)
@example((0, (2, 2), True, 0.9))
@example((1, (1, 3), False, 1.0))
def test_gaussian_gradient(case):
    seed, (dim, horizon), dependent, gamma = case
    theta = _parameters(seed, dim, dependent)
    setting = (dim, dependent, gamma, horizon)
    truth = complex_step(lambda x: _objective(x, *setting, 3), theta)
    size = 1 + float(np.abs(truth).max())
    for estimator in (TotalReturn(gamma), RewardToGo(gamma), BaselinedReturn(gamma)):
        have = _expected(theta, *setting, 3, estimator)
        observe(float(np.abs(have - truth).max()), 1e-12 * size, f"{estimator} {case}")


@claim("E6")
@pytest.mark.parametrize("dependent", [False, True])
def test_two_nodes_are_too_few(dependent):
    """Control: more nodes change nothing, fewer do, and so does a score of the clipped action."""
    theta = _parameters(3, 1, dependent)
    setting = (1, dependent, 0.9, 2)
    truth = complex_step(lambda x: _objective(x, *setting, 3), theta)
    size = float(np.abs(truth).max())
    have = _expected(theta, *setting, 5, RewardToGo(0.9))
    observe(float(np.abs(have - truth).max()), 1e-12 * (1 + size), "five nodes")
    rough = _expected(theta, *setting, 2, RewardToGo(0.9))
    assert np.abs(rough - truth).max() > 1e-3 * size
    clipped = _expected(theta, *setting, 5, RewardToGo(0.9), limit=1.0)
    assert np.abs(clipped - truth).max() > 1e-3 * size


# reward-to-go among them: an advantage has mean zero over the actions, so that with it a softmax
# of other logits gives the same gradient
CLIMB = st.tuples(
    cases(gamma=st.floats(0.5, 1)), st.sampled_from(["reward-to-go", "gae", "td", "n-step"])
)


def _climbing(
    case: Case, name: str
) -> tuple[exact.MDP, NDArray[np.float64], NDArray[np.float64], Any]:
    """Give a process, parameters, the library's expected gradient there, and J."""
    lab = case.lab
    grad = lab.expected(named(name, gamma=case.gamma, lam=0.7, n=2))
    assume(np.abs(grad).sum() > 0.05)  # else there is nothing to climb
    return lab.process, lab.theta, grad, lambda x: exact.solve(lab.process, lab.table(x)).J


@claim(
    name="E7",
    title="A small step along the gradient climbs by what it should",
    statement=r"\frac{J(\theta+\alpha\hat g) - J(\theta)}{\alpha\lVert\hat g\rVert^2}"
    r" = 1 + \alpha\,\frac{\hat g^\top\nabla^2 J\,\hat g}{2\lVert\hat g\rVert^2} + O(\alpha^2)",
    words="the gain of one step of the optimiser over the predicted gain tends to one, linearly",
    assumptions="the exact expected gradient; plain ascent",
    source="Taylor's theorem; Williams 1992",
    method="backward induction before and after the step, step sizes 1e-2 to 1e-4",
    tolerance=1e-2,
    tolerance_reason="the remainder is below 100 alpha^2, and rounding of J below 1e-14 / alpha",
    about=(
        "npvpg.optimizers.steps.SGD",
        "npvpg.optimizers.steps.Adam",
        "npvpg.gradient.policy_gradient",
    ),
)
@given(CLIMB)
@example((Case(n_actions=3), "reward-to-go"))
def test_ascent(drawn):
    process, theta, grad, objective = _climbing(*drawn)
    before = objective(theta)
    slope = float(grad @ grad)

    def field(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return laboratory(process, x).truth

    curvature = float(grad @ central_difference(field, theta) @ grad) / (2 * slope)
    for alpha in (1e-2, 1e-3, 1e-4):
        after, state = SGD().step(theta, grad, SGD().init(theta), alpha)
        assert state.n_made == 1
        gain = (objective(after) - before) / (alpha * slope)
        remainder = abs(gain - 1 - alpha * curvature)
        rounding = 1e-14 * (1 + abs(before)) / (alpha * slope)
        observe(remainder, 100 * alpha**2 + rounding, f"{drawn} {alpha}")


@claim("E7")
@given(CLIMB)
@example((Case(n_actions=3), "td"))
def test_ascent_of_adam(drawn):
    """The first step of Adam is the sign of the gradient: the gain is its 1-norm."""
    _, theta, grad, objective = _climbing(*drawn)
    after, _ = Adam(eps=1e-30).step(theta, grad, Adam().init(theta), 1e-6)
    gain = (objective(after) - objective(theta)) / (1e-6 * float(np.abs(grad).sum()))
    observe(abs(gain - 1), 1e-3, lambda: f"{drawn}")
