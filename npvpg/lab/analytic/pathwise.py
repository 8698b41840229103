r"""
Pathwise gradient of the return: backpropagation through time, written by hand.

Forwards, with noise :math:`\epsilon_t` drawn beforehand,

.. math:: a_t = \mu_\theta(o_t) + \sigma_\theta\,\epsilon_t, \qquad r_t = r(x_t, a_t), \qquad
          x_{t+1} = f(x_t, a_t), \qquad o_t = o(x_t).

Backwards, the derivative :math:`\lambda_t` of the return from t on with respect to the state and
that with respect to the action, :math:`\alpha_t`, follow from those of the step after,

.. math:: \alpha_t = r_a + \gamma f_a^\top \lambda_{t+1}, \qquad
          \lambda_t = r_x + \gamma f_x^\top \lambda_{t+1}
          + o_x^\top \Bigl(\frac{\partial a_t}{\partial o_t}\Bigr)^\top \alpha_t.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from npvpg import checks
from npvpg.batch import Batch
from npvpg.lab.analytic.system import System
from npvpg.policy import Policy, PolicyAt

Detach = Literal["nothing", "reward", "state"]
"""Through which occurrences of the state no derivative flows: none, that in the reward, or all."""


class Path(NamedTuple):
    """
    N trajectories of H steps, side by side.

    Parameters
    ----------
    state : ndarray, shape (H + 1, N, X)
        States, the last of them where the trajectories were cut.
    obs : ndarray, shape (H + 1, N, O)
        Observations of the states.
    act : ndarray, shape (H, N, D)
        Actions.
    rew : ndarray, shape (H, N)
        Rewards [reward].
    final : ndarray, shape (N,)
        What the last states are worth [reward].
    """

    state: NDArray[Any]
    obs: NDArray[Any]
    act: NDArray[Any]
    rew: NDArray[Any]
    final: NDArray[Any]


def play(
    system: System,
    policy: Policy,
    theta: NDArray[Any],
    first: NDArray[Any],
    noise: NDArray[np.float64],
) -> Path:
    """
    Play trajectories forwards.

    Parameters
    ----------
    system : System
        Environment.
    policy : Policy
        Gaussian policy.
    theta : ndarray, shape (P,)
        Its parameters.
    first : ndarray, shape (N, X)
        First states.
    noise : ndarray of float64, shape (H, N, D)
        Standard normal noise of every action.

    Returns
    -------
    Path
        The trajectories.

    Raises
    ------
    ValueError
        If a shape is not as above, or the policy is not Gaussian or of other sizes.
    """
    _check(system, policy)
    checks.shape((-1, system.n_state), first=first)
    checks.shape((-1, len(first), system.n_act), noise=noise)
    checks.at_least(1, steps=len(noise))
    states, observed, actions, rewards = [first], [system.observe(first)], [], []
    for epsilon in noise:
        params = policy.params(theta, observed[-1])
        actions.append(policy.distribution.sample(params, epsilon))
        rewards.append(system.reward(states[-1], actions[-1]))
        states.append(system.move(states[-1], actions[-1]))
        observed.append(system.observe(states[-1]))
    state, obs, act, rew = (np.stack(x) for x in (states, observed, actions, rewards))
    return Path(state, obs, act, rew, system.final(states[-1]))


def pathwise_gradient(
    system: System,
    policy: Policy,
    theta: NDArray[Any],
    path: Path,
    gamma: float,
    *,
    detach: Detach = "nothing",
) -> NDArray[Any]:
    r"""
    Gradient of the mean return of trajectories, through rewards and dynamics.

    .. math:: \hat g = \frac1N \sum_{i=1}^N \sum_{t=0}^{H-1} \gamma^t
              \Bigl(\frac{\partial a_t}{\partial\theta}\Bigr)^\top \alpha_t, \qquad
              \frac{\partial a_t}{\partial\mu} = 1, \qquad
              \frac{\partial a_t}{\partial\log\sigma} = a_t - \mu_t

    Parameters
    ----------
    system : System
        Environment.
    policy : Policy
        Gaussian policy.
    theta : ndarray, shape (P,)
        Its parameters, those of the trajectories.
    path : Path
        What `play` gave for them.
    gamma : float
        Discount in [0, 1] [per step].
    detach : {"nothing", "reward", "state"}
        Where the state is taken for a constant. "nothing" gives the gradient of the return.
        "reward" takes it for one in the reward, :math:`r(\mathrm{sg}[x], a)`, and at the end, so
        that states matter only by the actions that the policy takes in them. "state" takes it for
        one everywhere, which leaves
        :math:`\sum_t\gamma^t\,(\partial r/\partial a)(\partial a/\partial\theta)`.

    Returns
    -------
    ndarray, shape (P,)
        Gradient; the way up.

    Raises
    ------
    ValueError
        If `gamma` lies outside [0, 1], `detach` is unknown, or the policy is not Gaussian or of
        other sizes.

    Notes
    -----
    "SVG(infinity)" of [1]_ with the true model. Unbiased for the exact, discounted objective if
    nothing is detached. Each step runs the network forwards again, so that only the trajectories
    themselves are kept.

    References
    ----------
    .. [1] N. Heess, G. Wayne, D. Silver, T. Lillicrap, Y. Tassa and T. Erez, "Learning Continuous
       Control Policies by Stochastic Value Gradients", NIPS 2015, arXiv:1510.09142, (8) to (10).
    """
    grad = np.zeros_like(theta)
    for pi, d_params in _backwards(system, policy, theta, path, gamma, detach):
        grad += pi.backward(d_params)
    return np.asarray(grad / path.rew.shape[1])


def pathwise_gradients(
    system: System,
    policy: Policy,
    theta: NDArray[Any],
    path: Path,
    gamma: float,
    *,
    detach: Detach = "nothing",
) -> NDArray[Any]:
    r"""
    Gradient of the return of every trajectory by itself; `pathwise_gradient` is the mean.

    .. math:: \hat g_i = \sum_{t=0}^{H-1} \gamma^t
              \Bigl(\frac{\partial a_{t,i}}{\partial\theta}\Bigr)^\top \alpha_{t,i}

    Parameters
    ----------
    system : System
        Environment.
    policy : Policy
        Gaussian policy.
    theta : ndarray, shape (P,)
        Its parameters, those of the trajectories.
    path : Path
        What `play` gave for them.
    gamma : float
        Discount in [0, 1] [per step].
    detach : {"nothing", "reward", "state"}
        As for `pathwise_gradient`.

    Returns
    -------
    ndarray, shape (N, P)
        Gradients: what a study of variance needs.

    Raises
    ------
    ValueError
        As `pathwise_gradient`.
    """
    grad = np.zeros((path.rew.shape[1], theta.size), theta.dtype)
    for pi, d_params in _backwards(system, policy, theta, path, gamma, detach):
        grad += pi.backward_samples(d_params)
    return grad


def as_batch(path: Path) -> Batch:
    """
    Lay trajectories end to end, as the estimators and the score-function gradient take them.

    Parameters
    ----------
    path : Path
        What `play` gave.

    Returns
    -------
    Batch
        N trajectories, all of them cut: ``last_val`` is ``path.final``.
    """
    n_steps, n = path.rew.shape
    flat = (np.swapaxes(x, 0, 1) for x in (path.obs[:-1], path.act, path.rew))
    obs, act, rew = (np.ascontiguousarray(x).reshape(n * n_steps, *x.shape[2:]) for x in flat)
    return Batch(obs, act, rew, np.arange(n + 1) * n_steps, path.obs[-1], np.zeros(n, bool))


def _backwards(
    system: System,
    policy: Policy,
    theta: NDArray[Any],
    path: Path,
    gamma: float,
    detach: Detach,
) -> Iterator[tuple[PolicyAt, NDArray[Any]]]:
    """From the last step to the first: the policy, and discounted derivatives at its parameters."""
    _check(system, policy)
    checks.unit_interval(gamma=gamma)
    if detach not in get_args(Detach):
        raise ValueError(f"detach must be one of {', '.join(get_args(Detach))}, got {detach!r}")
    d_state = system.final_back(path.state[-1]) * (detach == "nothing")
    for t in range(len(path.act) - 1, -1, -1):
        x, act = path.state[t], path.act[t]
        pi = policy.at(theta, path.obs[t])
        rew_x, rew_a = system.reward_back(x, act)
        next_x, next_a = system.move_back(x, act, d_state)
        d_params = policy.distribution.sample_back(pi.params, act, rew_a + gamma * next_a)
        yield pi, gamma**t * d_params
        if detach == "state":
            continue  # d_state stays 0: nothing flows back into a state
        d_state = gamma * next_x + system.observe_back(x, pi.backward_obs(d_params))
        if detach == "nothing":
            d_state = d_state + rew_x


def _check(system: System, policy: Policy) -> None:
    """Refuse a policy whose actions cannot be differentiated, or that is made for another size."""
    law = policy.distribution
    if not law.pathwise:
        raise ValueError(f"policy must be Gaussian, got {type(law).__name__}")
    if (policy.n_obs, law.event_shape) != (system.n_obs, (system.n_act,)):
        raise ValueError(
            f"policy must map {system.n_obs} observations to {system.n_act} actions, "
            f"got {policy.n_obs} and {law.event_shape[0]}"
        )
