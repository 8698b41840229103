"""
A whole rollout in one call, for environments whose step is compiled as well.

The functions of the environment come in as pointers, so this loop refers to none of them and
Numba's disk cache serves it in every process and for every environment.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.network import forward
from npvpg.kernels.pcg64 import child_seeds, seed, uniform
from npvpg.kernels.sampling import LOG_SIGMA_MAX, LOG_SIGMA_MIN, draw, shift


def _act_discrete(
    out: NDArray[Any],
    free: NDArray[Any],
    noise: NDArray[np.float64],
    act: NDArray[np.int64],
    bounds: tuple[NDArray[Any], ...],
) -> None:
    """Sample categorical actions from logits and uniform noise; send them from the least on."""
    low, _, _, _, sent = bounds
    partial = np.empty(out.shape[1])
    for i in range(len(act)):
        act[i] = draw(out[i], noise[i], partial)
        sent[i] = low[0] + act[i]


def _act_continuous(
    out: NDArray[Any],
    free: NDArray[Any],
    noise: NDArray[np.float64],
    act: NDArray[Any],
    bounds: tuple[NDArray[Any], ...],
) -> None:
    """
    Sample Gaussian actions from means and standard normal noise; send them in units and clipped.

    Log sigma stands in the columns of `out` behind the means, or in `free` if that is not empty.
    """
    low, high, origin, unit, sent = bounds
    dim = act.shape[1]
    log_sigma = np.empty(dim, out.dtype)
    for i in range(len(act)):
        raw = free if free.size else out[i, dim:]
        for j in range(dim):
            log_sigma[j] = min(max(raw[j], LOG_SIGMA_MIN), LOG_SIGMA_MAX)
        shift(out[i, :dim], log_sigma, noise[i], act[i])
        for j in range(dim):
            sent[i, j] = min(max(origin[j] + unit[j] * act[i, j], low[j]), high[j])


act_discrete = jit(_act_discrete)
act_continuous = jit(_act_continuous)


def _act(out: Any, free: Any, noise: Any, act: Any, bounds: Any) -> None:
    """
    Sample by the distribution that goes with the type of the actions.

    Parameters
    ----------
    out : ndarray, shape (N, H)
        Output of the policy's network.
    free : ndarray, shape (D,) or (0,)
        The distribution's own parameters.
    noise : ndarray of float64, shape (N,) or (N, D)
        Noise of the actions.
    act : ndarray, shape (N,) or (N, D)
        Actions, written.
    bounds : tuple
        As `play` takes it; what the environment gets is written.
    """
    kind = act_discrete if act.dtype.kind == "i" else act_continuous
    kind(out, free, noise, act, bounds)


@overload(_act)
def _typed_act(out: Any, free: Any, noise: Any, act: Any, bounds: Any) -> Callable[..., None]:
    """Choose by the type of the actions, while compiling."""
    kind = act_discrete if act.ndim == 1 else act_continuous

    def call(out: Any, free: Any, noise: Any, act: Any, bounds: Any) -> None:
        kind(out, free, noise, act, bounds)

    return call


def _choose(
    obs: NDArray[Any],
    policy: tuple[NDArray[Any], NDArray[np.int64], bool, int],
    moments: tuple[NDArray[np.float64], NDArray[np.float64], float],
    noise: NDArray[np.float64],
    bounds: tuple[NDArray[Any], ...],
    scratch: tuple[NDArray[Any], NDArray[Any]],
    act: NDArray[Any],
) -> None:
    """
    Look at every sub-environment and choose its action.

    Parameters
    ----------
    obs : ndarray, shape (N, O)
        Observations as the environment gave them.
    policy, moments, bounds : tuple
        As `play` takes them.
    noise : ndarray of float64, shape (N,) or (N, D)
        Noise of the actions.
    scratch : tuple
        Arrays of the type of the parameters, overwritten: the observations as the policy sees
        them, (N, O), and the output of its network, (N, H).
    act : ndarray, shape (N,) or (N, D)
        Actions as they were sampled, written; in ``bounds``, what the environment gets of them.
    """
    theta, sizes, relu, n_network = policy
    mean, scale, cut = moments
    seen, out = scratch
    for i in range(len(obs)):
        for j in range(obs.shape[1]):
            seen[i, j] = min(max((np.float64(obs[i, j]) - mean[j]) * scale[j], -cut), cut)
    forward(theta, sizes, relu, seen, out)
    _act(out, theta[n_network:], noise, act, bounds)


choose = jit(_choose)


def _play(
    step: Callable[..., int],
    reset: Callable[..., None],
    env: tuple[Any, ...],
    start: tuple[
        NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64], int, int, int, int, bool
    ],
    bounds: tuple[NDArray[Any], ...],
    policy: tuple[NDArray[Any], NDArray[np.int64], bool, int],
    moments: tuple[NDArray[np.float64], NDArray[np.float64], float],
    noise: NDArray[np.float64],
    episode: NDArray[np.int64],
    finished: NDArray[np.int64],
    n_episodes: int,
    first: int,
    record: tuple[NDArray[Any], ...],
) -> int:
    """
    Step all sub-environments together until the record is full or all have had their episodes.

    Parameters
    ----------
    step, reset : callable
        Functions of the environment, as in `npvpg.kernels.physics`.
    env : tuple
        Its arrays: state, steps, limit, obs, rew, ends, rng, and whatever else its functions take.
    start : tuple
        Bounds ``low`` and ``high`` of the numbers an episode starts from; the words of the seed
        and the purpose that key the episodes' seeds, and the bits of these, as in
        `npvpg.kernels.pcg64.child_seeds`; how many episodes share a seed; the number that the
        first sub-environment has in the run; whether to return to
        the caller when an episode has ended, who resets.
    bounds : tuple
        Least and greatest action of the environment, and the origin and unit that a continuous one
        is counted from and in, ndarrays of shape (1,) or (D,); an array for what is sent.
    policy : tuple
        Parameters, sizes of the network, whether it is a ReLU network, its number of parameters;
        the rest of the parameters are the distribution's own.
    moments : tuple
        Mean, one over the standard deviation, and bound, by which observations are normalised.
    noise : ndarray of float64, shape (T - first, N) or (T - first, N, D)
        Noise of the actions.
    episode : ndarray of int64, shape (N,)
        Number of the episode each sub-environment is in, updated.
    finished : ndarray of int64, shape (N,)
        Episodes that it has finished, updated.
    n_episodes : int
        Stop when all have finished that many; 0 for never.
    first : int
        Column of the record to begin with.
    record : tuple
        Written: ``obs`` (N, T, O), ``act`` (N, T) or (N, T, D), ``rew`` (N, T), ``terminated``
        (N, T), ``done`` (N, T), and ``next_obs`` (N, T, O) where an episode ended.

    Returns
    -------
    int
        Number of steps taken. When stopped early, what ended last is not reset.
    """
    state, steps, env_obs, env_rew, ends, rng = env[0], env[1], env[3], env[4], env[5], env[6]
    start_low, start_high, entropy, purpose, bits, repeat, begins, by_hand = start
    theta, sizes, _, _ = policy
    obs, act, rew, terminated, done, next_obs = record
    n_envs, n_steps, n_obs = obs.shape
    scratch = np.empty((n_envs, n_obs), theta.dtype), np.empty((n_envs, sizes[-1]), theta.dtype)
    chosen = np.empty_like(act[:, 0])
    ended = np.empty(n_envs, np.int64)
    for t in range(first, n_steps):
        for i in range(n_envs):
            for j in range(n_obs):
                obs[i, t, j] = env_obs[i, j]
        choose(env_obs, policy, moments, noise[t - first], bounds, scratch, chosen)
        for i in range(n_envs):
            act[i, t] = chosen[i]
        step(bounds[4], *env)
        n_ended = 0
        for i in range(n_envs):
            rew[i, t] = env_rew[i]
            terminated[i, t] = ends[0, i]
            done[i, t] = ends[0, i] or ends[1, i]
            if done[i, t]:
                for j in range(n_obs):
                    next_obs[i, t, j] = env_obs[i, j]
                ended[n_ended] = i
                n_ended += 1
                episode[i] += 1
                finished[i] += 1
        if n_ended > 0:
            through = n_episodes > 0
            for i in range(n_envs):
                through = through and finished[i] >= n_episodes
            if by_hand or through:
                return int(t + 1 - first)
            rows = ended[:n_ended]
            number = episode[rows] // repeat
            seed(rng, rows, child_seeds(entropy, purpose, rows + begins, number, bits))
            drawn = uniform(rng, rows, start_low, start_high)
            reset(drawn, rows, state, steps, env_obs, *env[7:])
    return int(n_steps - first)


play = jit(_play, nogil=True)  # several threads may play, each its share of an environment
