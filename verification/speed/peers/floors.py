"""What nothing can be faster than: bare environments, and bare matrix products and tanh."""

from functools import lru_cache
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

import npvpg.envs
from npvpg.envs.serial import SerialVectorEnv
from verification.speed.peers.protocol import repeat, serve

PREFIX = "npvpg/"
N_ACTS = 256  # actions that are drawn beforehand, and taken again and again


class Network:
    """
    The products and tanh of a network, into memory that is there already.

    Parameters
    ----------
    sizes : tuple of int
        Sizes of input, hidden layers and output.
    n_rows : int
        Rows of the batch.
    dtype : str
        Precision.
    """

    def __init__(self, sizes: tuple[int, ...], n_rows: int, dtype: str) -> None:
        rng = np.random.default_rng(0)
        self._weights = [
            (rng.standard_normal(shape) / shape[0] ** 0.5).astype(dtype)
            for shape in pairwise(sizes)
        ]
        self._grads = [np.empty_like(weight) for weight in self._weights]
        self._h = [rng.standard_normal((n_rows, size)).astype(dtype) for size in sizes]
        self._d = [np.ones_like(h) for h in self._h]

    def forward(self) -> None:
        """Run the network, biases left out."""
        last = len(self._weights) - 1
        for i, weight in enumerate(self._weights):
            np.matmul(self._h[i], weight, out=self._h[i + 1])
            if i < last:
                np.tanh(self._h[i + 1], out=self._h[i + 1])

    def backward(self) -> None:
        """Differentiate it, what is no matrix product left out."""
        for i in range(len(self._weights) - 1, -1, -1):
            np.matmul(self._h[i].T, self._d[i + 1], out=self._grads[i])
            if i:
                np.matmul(self._d[i + 1], self._weights[i].T, out=self._d[i])


@lru_cache(maxsize=2)
def _network(sizes: tuple[int, ...], n_rows: int, dtype: str) -> Network:
    return Network(sizes, n_rows, dtype)


def forward(sizes: list[int], n_rows: int, dtype: str, seconds: float) -> dict[str, Any]:
    """
    Run a network and do nothing else.

    Parameters
    ----------
    sizes : list of int
        Sizes of input, hidden layers and output.
    n_rows : int
        Rows of a call.
    dtype : str
        Precision.
    seconds : float
        Time to fill [s].

    Returns
    -------
    dict
        Rows, as steps, and seconds.
    """
    n, taken = repeat(_network(tuple(sizes), n_rows, dtype).forward, seconds)
    return {"steps": n * n_rows, "seconds": taken}


def update(
    n_obs: int,
    n_act: int,
    hidden: list[int],
    n_rows: int,
    value_steps: int,
    dtype: str,
    seconds: float,
) -> dict[str, Any]:
    """
    Do the matrix products and tanh of acting and of one update, and nothing else.

    Parameters
    ----------
    n_obs, n_act : int
        Sizes of observations and of the policy's output.
    hidden : list of int
        Widths of the hidden layers, of policy and value alike.
    n_rows : int
        Steps of the batch.
    value_steps : int
        Passes of the value.
    dtype : str
        Precision.
    seconds : float
        Time to fill [s].

    Returns
    -------
    dict
        Steps, and seconds.
    """
    policy = _network((n_obs, *hidden, n_act), n_rows, dtype)
    value = _network((n_obs, *hidden, 1), n_rows, dtype)

    def work() -> None:
        policy.forward()  # the actions, all at once
        value.forward()  # what the advantages need
        policy.forward()
        policy.backward()
        for _ in range(value_steps):
            value.forward()
            value.backward()

    n, taken = repeat(work, seconds, at_least=1)
    return {"steps": n * n_rows, "seconds": taken}


class OneByOne:
    """
    Environments stepped in a loop, with no vector environment around them.

    Parameters
    ----------
    env : str
        Environment.
    n : int
        Their number.
    """

    def __init__(self, env: str, n: int) -> None:
        self.envs = [gymnasium.make(env, disable_env_checker=True) for _ in range(n)]
        self.action_space = gymnasium.vector.utils.batch_space(self.envs[0].action_space, n)

    def reset(self, seed: int) -> None:
        """
        Reset all of them.

        Parameters
        ----------
        seed : int
            Seed of each.
        """
        for env in self.envs:
            env.reset(seed=seed)

    def step(self, act: Any) -> tuple[Any, ...]:
        """
        Step all of them, and reset those whose episode has ended.

        Parameters
        ----------
        act : ndarray, shape (N,) or (N, D)
            Actions.

        Returns
        -------
        tuple
            Nothing of interest, in the form of a vector environment in which no episode ends.
        """
        for env, one in zip(self.envs, act, strict=True):
            _, _, terminated, truncated, _ = env.step(one)
            if terminated or truncated:
                env.reset()
        return None, None, np.False_, np.False_, None

    def close(self) -> None:
        """Close all of them."""
        for env in self.envs:
            env.close()


def env_steps(env: str, n_envs: int, kind: str, seconds: float, threads: int = 1) -> dict[str, Any]:
    """
    Step environments at random and do nothing else.

    Parameters
    ----------
    env : str
        Environment.
    n_envs : int
        Sub-environments.
    kind : {"one by one", "vector", "serial", "compiled"}
        How: in a loop; by Gymnasium's vector environment; by npvpg's loop around Gymnasium's
        environments; by npvpg's compiled twin.
    seconds : float
        Time to fill [s].
    threads : int
        Threads of the twin of one of MuJoCo's environments.

    Returns
    -------
    dict
        Steps over all sub-environments, and seconds.
    """
    made: Any
    if kind == "one by one":
        made = OneByOne(env, n_envs)
    elif kind == "compiled":
        assert env in npvpg.envs.COMPILED | npvpg.envs.MUJOCO
        own: dict[str, Any] = {"threads": threads} if env in npvpg.envs.MUJOCO else {}
        made = gymnasium.make_vec(f"{PREFIX}{env}", n_envs, **own)
    elif kind == "serial":
        made = SerialVectorEnv(lambda: gymnasium.make(env, disable_env_checker=True), n_envs)
    else:
        disabled = {"autoreset_mode": AutoresetMode.DISABLED}
        made = gymnasium.make_vec(
            env, n_envs, "sync", vector_kwargs=disabled, disable_env_checker=True
        )
    made.action_space.seed(0)
    acts = [made.action_space.sample() for _ in range(N_ACTS)]
    made.reset(seed=0)

    def work() -> None:
        for act in acts:
            _, _, terminated, truncated, _ = made.step(act)
            done = terminated | truncated
            if done.any():
                made.reset(options={"reset_mask": done})

    n, taken = repeat(work, seconds, at_least=1)
    made.close()
    return {"steps": n * N_ACTS * n_envs, "seconds": taken}


if __name__ == "__main__":
    serve(
        lambda: {"forward": forward, "update": update, "env_steps": env_steps},
        ("numpy", "gymnasium", "mujoco"),
    )
