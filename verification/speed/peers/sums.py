"""Sums over time: the kernels of npvpg, a filter of SciPy and a loop of Python."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels import returns
from verification.speed.peers.protocol import repeat, serve

GAMMA, LAM = 0.99, 0.95
EPISODE = 200  # steps of an episode, where there are many


def sums(how: str, what: str, n: int, seconds: float) -> dict[str, Any]:
    """
    Sum over time.

    Parameters
    ----------
    how : str
        "Python loop", "scipy.signal.lfilter", or npvpg: its variants are told by "many" episodes
        and "float32".
    what : {"GAE", "reward-to-go"}
        What to compute.
    n : int
        Elements.
    seconds : float
        Time to fill [s].

    Returns
    -------
    dict
        Nanoseconds per element.
    """
    rng = np.random.default_rng(0)
    rew, val = rng.standard_normal(n), rng.standard_normal(n)
    make = {"Python loop": _python, "scipy.signal.lfilter": _scipy}.get(how)
    if make is None:
        length = EPISODE if "many" in how else n
        dtype = np.dtype("float32" if "float32" in how else "float64")
        call = _npvpg(what, rew.astype(dtype), val.astype(dtype), length)
    else:
        call = make(what, rew, val)
    k, taken = repeat(call, seconds)
    return {"ns": 1e9 * taken / (k * n)}


def _npvpg(what: str, rew: NDArray[Any], val: NDArray[Any], length: int) -> Callable[[], Any]:
    start = np.append(np.arange(0, len(rew), length), len(rew))
    last = np.ones(len(start) - 1, rew.dtype)
    if what == "GAE":
        return lambda: returns.gae(rew, val, last, start, GAMMA, LAM)
    return lambda: returns.discounted_sum(rew, last, start, GAMMA)


def _scipy(what: str, rew: NDArray[Any], val: NDArray[Any]) -> Callable[[], Any]:
    from scipy.signal import lfilter  # noqa: PLC0415 - may be missing

    def gae() -> Any:
        delta = rew - val
        delta[:-1] += GAMMA * val[1:]
        delta[-1] += GAMMA
        return lfilter([1.0], [1.0, -GAMMA * LAM], delta[::-1])[::-1]

    def reward_to_go() -> Any:
        return lfilter([1.0], [1.0, -GAMMA], rew[::-1], zi=[GAMMA])[0][::-1]

    return gae if what == "GAE" else reward_to_go


def _python(what: str, rew: NDArray[Any], val: NDArray[Any]) -> Callable[[], Any]:
    rewards, values = rew.tolist(), val.tolist()

    def gae() -> list[float]:
        adv, next_val, following = [0.0] * len(rewards), 1.0, 0.0
        for t in range(len(rewards) - 1, -1, -1):
            following = rewards[t] + GAMMA * next_val - values[t] + GAMMA * LAM * following
            adv[t], next_val = following, values[t]
        return adv

    def reward_to_go() -> list[float]:
        ret, following = [0.0] * len(rewards), 1.0
        for t in range(len(rewards) - 1, -1, -1):
            following = rewards[t] + GAMMA * following
            ret[t] = following
        return ret

    return gae if what == "GAE" else reward_to_go


if __name__ == "__main__":
    serve(lambda: {"sums": sums}, ("numpy", "numba", "scipy"))
