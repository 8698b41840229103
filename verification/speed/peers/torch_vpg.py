"""
Vanilla policy gradient in PyTorch, as Spinning Up writes it, with what it lacks: many environments.

The same algorithm as the preset of npvpg, for a comparison of like with like: the same networks
and initial law, the same batch, one policy step and as many value steps, the same estimator,
normalisation and step sizes, Gymnasium's vector environment with the same handling of ends.
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from verification.speed.peers.protocol import Call, Judge, serve


def load() -> Mapping[str, Call]:
    """
    Import PyTorch.

    Returns
    -------
    mapping
        The call: train.
    """
    import torch  # noqa: PLC0415 - may be missing

    torch.set_num_threads(1)
    return {"train": partial(train, torch)}


class Moments:
    """
    Running mean and variance of observations, first those of no observation at all.

    Parameters
    ----------
    n_obs : int
        Numbers of an observation.
    """

    def __init__(self, n_obs: int) -> None:
        self.count, self.mean, self.squares = 0, np.zeros(n_obs), np.zeros(n_obs)
        self.scale = np.ones(n_obs)

    def normalize(self, obs: NDArray[Any]) -> NDArray[Any]:
        """
        Shift and scale.

        Parameters
        ----------
        obs : ndarray, shape (..., O)
            Observations.

        Returns
        -------
        ndarray, shape (..., O)
            Those of mean 0 and variance 1, clipped at 10.
        """
        return np.clip((obs - self.mean) * self.scale, -10, 10)

    def update(self, obs: NDArray[Any]) -> None:
        """
        Take more observations in.

        Parameters
        ----------
        obs : ndarray, shape (S, O)
            Observations.
        """
        both, apart = self.count + len(obs), obs.mean(axis=0) - self.mean
        self.squares += obs.var(axis=0) * len(obs) + apart**2 * self.count * len(obs) / both
        self.mean = self.mean + apart * len(obs) / both
        self.count = both
        self.scale = 1 / np.sqrt(self.squares / both + 1e-8)


class Batch(NamedTuple):
    """
    What happened, axis 0 the time, axis 1 the sub-environments.

    Attributes
    ----------
    obs, next_obs : ndarray of float32, shape (T, N, O)
        Normalised observations before and after each step.
    act : ndarray of int64, shape (T, N)
        Actions.
    rew : ndarray of float32, shape (T, N)
        Rewards.
    terminated, done : ndarray of bool, shape (T, N)
        Whether the episode ended for good, and whether it ended at all.
    """

    obs: NDArray[np.float32]
    next_obs: NDArray[np.float32]
    act: NDArray[np.int64]
    rew: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    done: NDArray[np.bool_]


def train(
    torch: Any,
    env: str,
    n_envs: int,
    horizon: int,
    hidden: list[int],
    seed: int,
    n_steps: int,
    gamma: float,
    lam: float,
    policy_lr: float,
    value_lr: float,
    value_steps: int,
    reward_scale: float,
    goal: float | None = None,
    max_seconds: float = 60.0,
) -> dict[str, Any]:
    """
    Train until the task is solved, the time is over or the steps are used up.

    Parameters
    ----------
    torch : module
        PyTorch.
    env : str
        Environment of Gymnasium with discrete actions.
    n_envs, horizon : int
        Sub-environments, and steps in each of them per update.
    hidden : list of int
        Widths of the hidden layers, of policy and value alike.
    seed : int
        Seed.
    n_steps : int
        Steps of the whole run, over which the step sizes fall to zero.
    gamma, lam : float
        Constants of the generalised advantage estimate.
    policy_lr, value_lr : float
        Step sizes of Adam.
    value_steps : int
        Passes of the value over each batch.
    reward_scale : float
        Factor of the rewards that the advantages see.
    goal : float or None
        Return at which training stops.
    max_seconds : float
        Time after which it stops [s].

    Returns
    -------
    dict
        As `verification.speed.peers.protocol.Judge.result`.
    """
    torch.manual_seed(seed)
    disabled = {"autoreset_mode": AutoresetMode.DISABLED}
    made: Any = gymnasium.make_vec(
        env, n_envs, "sync", vector_kwargs=disabled, disable_env_checker=True
    )
    n_obs, n_act = made.single_observation_space.shape[0], int(made.single_action_space.n)
    policy = _network(torch, [n_obs, *hidden, n_act], 0.01)
    value = _network(torch, [n_obs, *hidden, 1], 1.0)
    policy_adam = torch.optim.Adam(policy.parameters(), policy_lr)
    value_adam = torch.optim.Adam(value.parameters(), value_lr)
    shape = (horizon, n_envs)
    batch = Batch(
        np.zeros((*shape, n_obs), np.float32),
        np.zeros((*shape, n_obs), np.float32),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float32),
        np.zeros(shape, bool),
        np.zeros(shape, bool),
    )
    steps, ret, stopped = 0, np.zeros(n_envs), False
    moments, raw = Moments(n_obs), np.zeros((*shape, n_obs), np.float32)
    judge = Judge(goal, max_seconds)
    obs, _ = made.reset(seed=seed)
    while steps < n_steps and not stopped:
        obs, finished = _collect(torch, made, policy, obs, batch, ret, moments, raw)
        for adam, lr in ((policy_adam, policy_lr), (value_adam, value_lr)):
            adam.param_groups[0]["lr"] = lr * (1 - steps / n_steps)
        moments.update(raw.reshape(-1, n_obs))
        adv, target = _advantages(torch, value, batch, gamma, lam, reward_scale)
        _policy_step(torch, policy, policy_adam, batch, adv)
        seen, wanted = _rows(torch, batch.obs), torch.as_tensor(target.reshape(-1))
        for _ in range(value_steps):
            value_adam.zero_grad()
            (0.5 * (value(seen).squeeze(-1) - wanted).square().mean()).backward()
            value_adam.step()
        steps += horizon * n_envs
        stopped = judge.stops(steps, finished)
    made.close()
    return judge.result()


def _network(torch: Any, sizes: list[int], last_gain: float) -> Any:
    """Linear layers and tanh, orthogonal to begin with."""
    parts: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        linear = torch.nn.Linear(n_in, n_out)
        torch.nn.init.orthogonal_(linear.weight, 2**0.5)
        torch.nn.init.zeros_(linear.bias)
        parts += [linear, torch.nn.Tanh()]
    torch.nn.init.orthogonal_(parts[-2].weight, last_gain)
    return torch.nn.Sequential(*parts[:-1])


def _rows(torch: Any, obs: NDArray[np.float32]) -> Any:
    """All observations, one a row."""
    return torch.as_tensor(obs.reshape(-1, obs.shape[-1]))


def _collect(
    torch: Any,
    env: Any,
    policy: Any,
    obs: Any,
    batch: Batch,
    ret: NDArray[np.float64],
    moments: Moments,
    raw: NDArray[np.float32],
) -> tuple[Any, list[float]]:
    """Fill the batch; give the observations to go on from and the returns that were finished."""
    finished: list[float] = []
    for t in range(len(batch.rew)):
        raw[t] = obs
        batch.obs[t] = moments.normalize(obs)
        with torch.no_grad():
            law = torch.distributions.Categorical(logits=policy(torch.as_tensor(batch.obs[t])))
            batch.act[t] = law.sample().numpy()
        obs, batch.rew[t], batch.terminated[t], truncated, _ = env.step(batch.act[t])
        batch.next_obs[t] = moments.normalize(obs)
        done = batch.terminated[t] | truncated
        batch.done[t] = done
        ret += batch.rew[t]
        if done.any():
            finished += ret[done].tolist()
            ret[done] = 0
            obs, _ = env.reset(options={"reset_mask": done})
    return obs, finished


def _advantages(
    torch: Any, value: Any, batch: Batch, gamma: float, lam: float, reward_scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Generalised advantage estimates, and lambda-returns."""
    cut = batch.done.copy()
    cut[-1] = True
    with torch.no_grad():
        val = value(_rows(torch, batch.obs)).numpy().reshape(cut.shape)
        next_val = np.empty_like(val)
        next_val[:-1] = val[1:]
        next_val[cut] = value(torch.as_tensor(batch.next_obs[cut])).numpy()[:, 0]
    next_val[batch.terminated] = 0
    adv, following = np.empty_like(val), np.zeros_like(val[0])
    delta = batch.rew * reward_scale + gamma * next_val - val
    for t in range(len(val) - 1, -1, -1):
        following = delta[t] + gamma * lam * np.where(cut[t], 0, following)
        adv[t] = following
    return adv, adv + val


def _policy_step(
    torch: Any, policy: Any, adam: Any, batch: Batch, adv: NDArray[np.float32]
) -> None:
    """One step along the sum over each trajectory, averaged over the trajectories."""
    psi = torch.as_tensor(((adv - adv.mean()) / (adv.std() + 1e-8)).reshape(-1))
    law = torch.distributions.Categorical(logits=policy(_rows(torch, batch.obs)))
    logp = law.log_prob(torch.as_tensor(batch.act.reshape(-1)))
    n_trajectories = int(batch.done[:-1].sum()) + batch.done.shape[1]
    adam.zero_grad()
    (-(logp * psi).sum() / n_trajectories).backward()
    adam.step()


if __name__ == "__main__":
    serve(load, ("torch", "gymnasium", "numpy"))
