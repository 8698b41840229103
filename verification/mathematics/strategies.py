"""
What the proofs are tried on: networks with data, and trajectories with every kind of end.

Hypothesis draws shapes, scales and a seed, and arrays are filled from the seed: that is fast and
shrinks to small shapes. Only the short vectors of a `Roll` are drawn number by number.
"""

import os
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.mlp import MLP
from verification.oracles import returns as textbook

SEED = st.integers(0, 2**32 - 1)
HIDDEN = st.lists(st.integers(1, 8), max_size=3).map(tuple)
SUITE_SEED = 2026
UNIT = 2.0**-53


class Net(NamedTuple):
    """
    A network, its parameters, a batch and a weight for every row.

    Parameters
    ----------
    hidden : tuple of int
        Sizes of the hidden layers.
    n_rows, n_obs, n_out : int
        Rows of the batch, size of an observation, size of an output (or number of actions).
    scale, obs_scale : float
        Of the parameters and the observations.
    weight : float or None
        The same weight for every row; None draws normal ones.
    activation : str
        Of the hidden layers.
    seed : int
        Of everything that is filled in.
    """

    hidden: tuple[int, ...] = (4, 4)
    n_rows: int = 3
    n_obs: int = 2
    n_out: int = 2
    scale: float = 1.0
    obs_scale: float = 1.0
    weight: float | None = None
    activation: str = "tanh"
    seed: int = 0

    def rng(self, test: int) -> np.random.Generator:
        """Give the generator of a test; no two tests share numbers."""
        return np.random.default_rng([SUITE_SEED, test, self.seed])

    def network(self, n_outputs: int | None = None) -> MLP:
        """Give the network, with other outputs if told."""
        sizes = (self.n_obs, *self.hidden, n_outputs or self.n_out)
        return MLP(sizes, self.activation)  # type: ignore[arg-type]

    def theta(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Fill parameters in."""
        return self.scale * rng.standard_normal(size)

    def obs(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Fill observations in, shape (n_rows, n_obs)."""
        return self.obs_scale * rng.standard_normal((self.n_rows, self.n_obs))

    def weights(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Fill weights in, shape (n_rows,)."""
        if self.weight is None:
            return rng.standard_normal(self.n_rows)
        return np.full(self.n_rows, self.weight)

    @property
    def tame(self) -> bool:
        """Whether no unit saturates, so that nothing is lost in 1 - h^2."""
        return self.scale <= 1 and self.obs_scale <= 1


def nets(**fixed: Any) -> st.SearchStrategy[Net]:
    """
    Draw networks of every shape and scale.

    Parameters
    ----------
    **fixed : strategy
        Strategies in place of those of the fields of the same name.

    Returns
    -------
    strategy
        Of `Net`.
    """
    free: dict[str, Any] = {
        "hidden": HIDDEN,
        "n_rows": st.integers(1, 7),
        "n_obs": st.integers(1, 4),
        "n_out": st.integers(1, 4),
        "scale": st.sampled_from([1e-8, 1e-3, 1.0, 3.0, 30.0]),
        "obs_scale": st.sampled_from([0.0, 1.0, 1e3]),
        "weight": st.sampled_from([None, 0.0, 1.0, -1.0, 1e-12, 1e6]),
        "activation": st.sampled_from(["tanh", "relu"]),
        "seed": SEED,
    }
    return st.builds(Net, **{**free, **fixed})


TAME = {"scale": st.sampled_from([1e-3, 0.3, 1.0]), "obs_scale": st.sampled_from([0.0, 1.0])}


class Roll(NamedTuple):
    """
    Steps laid end to end, with the flags an environment gives.

    Parameters
    ----------
    rew, val, next_val : tuple of float
        Reward of a step, value of its state, and of the state it led to; the last is read at
        ends that did not terminate.
    end, terminated : tuple of bool
        Whether the trajectory ended with the step, and whether it terminated.
    gamma, lam : float
        Discount and mixing weight.
    n : int
        Steps to look ahead.
    """

    rew: tuple[float, ...] = (1.0, 2.0, 4.0)
    val: tuple[float, ...] = (8.0, 16.0, 32.0)
    next_val: tuple[float, ...] = (0.0, 0.0, 64.0)
    end: tuple[bool, ...] = (False, False, True)
    terminated: tuple[bool, ...] = (False, False, False)
    gamma: float = 0.5
    lam: float = 0.5
    n: int = 2

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.int64]]:
        """Give ``rew, val, last_val, start`` as the estimators take them."""
        end = np.array(self.end)
        stop = np.flatnonzero(end)
        last_val = np.where(np.array(self.terminated)[stop], 0.0, np.array(self.next_val)[stop])
        start = np.concatenate([[0], stop + 1]).astype(np.int64)
        return np.array(self.rew), np.array(self.val), last_val, start

    def segments(self) -> list[textbook.Segment]:
        """Cut into trajectories of exact fractions."""
        rew, val, next_val = ([Fraction(x) for x in y] for y in (self.rew, self.val, self.next_val))
        return textbook.segments(rew, val, next_val, self.end, self.terminated)

    @property
    def exact(self) -> tuple[Fraction, Fraction]:
        """Discount and mixing weight as fractions."""
        return Fraction(self.gamma), Fraction(self.lam)


@st.composite
def rolls(draw: st.DrawFn, *, dyadic: bool = True) -> Roll:
    """
    Draw trajectories.

    Parameters
    ----------
    draw : callable
        Of Hypothesis.
    dyadic : bool
        Small integers and powers of one half, on which floats make no error; otherwise floats
        of very different sizes.

    Returns
    -------
    Roll
        Up to 16 steps, both flags together allowed.
    """
    T = draw(st.integers(1, 16))
    number: st.SearchStrategy[float] = st.integers(-64, 64).map(float)
    part: st.SearchStrategy[float] = st.sampled_from([0.0, 0.5, 1.0])
    if not dyadic:
        corner = st.sampled_from([0.0, -0.0, 1e-308, 1e8, -1e8, 1.0])
        number = corner | st.floats(-1e8, 1e8) | st.floats(-1, 1)
        part = part | st.floats(0, 1)
    row = st.lists(number, min_size=T, max_size=T).map(tuple)
    flag = st.lists(st.booleans(), min_size=T, max_size=T)
    end = (*draw(flag)[:-1], True)
    terminated = tuple(e and d for e, d in zip(end, draw(flag), strict=True))
    n = draw(st.integers(1, T + 3))
    rew, val, next_val = draw(row), draw(row), draw(row)
    return Roll(rew, val, next_val, end, terminated, draw(part), draw(part), n)


def random_seed(config: pytest.Config) -> int:
    """
    Give the seed of a test whose wiring is random.

    Parameters
    ----------
    config : pytest.Config
        Of the run.

    Returns
    -------
    int
        The same in every run of the profile `ci`; in others ``--hypothesis-seed`` if it is given,
        and a new one each time if not, which the test names when it fails.
    """
    if settings.get_current_profile_name() == "ci":
        return SUITE_SEED
    told = config.getoption("--hypothesis-seed")
    return int(told) if told is not None else int.from_bytes(os.urandom(4), "little")
