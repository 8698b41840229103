"""What every distribution of actions offers."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Distribution(Protocol):
    """
    A family of distributions of actions.

    `out` is the output of the network (S, H), `free` the parameters that no observation
    changes (F,); both float32, float64 or complex128.
    """

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one action, and of its noise: (), or (D,)."""

    @property
    def n_outputs(self) -> int:
        """Number of network outputs, H."""

    @property
    def n_free(self) -> int:
        """Number of free parameters, F."""

    def init_free(self) -> NDArray[np.float64]:
        """Initial free parameters, shape (F,)."""

    def noise(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Draw the noise of n samples, (n,) or (n, D)."""

    def sample(
        self, out: NDArray[Any], free: NDArray[Any], noise: NDArray[np.float64]
    ) -> NDArray[Any]:
        """Turn noise into actions (S,) or (S, D)."""

    def mode(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """Most probable actions (S,) or (S, D)."""

    def log_prob(self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]) -> NDArray[Any]:
        """Log-probability or log-density of actions (S,)."""

    def score(
        self, out: NDArray[Any], free: NDArray[Any], act: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Derivatives of the log-probability: (S, H) and (S, F)."""

    def entropy(self, out: NDArray[Any], free: NDArray[Any]) -> NDArray[Any]:
        """Entropy (S,) [nat]."""

    def entropy_score(
        self, out: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Derivatives of the entropy: (S, H) and (S, F)."""

    def kl(
        self,
        out: NDArray[Any],
        free: NDArray[Any],
        other_out: NDArray[Any],
        other_free: NDArray[Any],
    ) -> NDArray[Any]:
        """Kullback-Leibler divergence from the first to the second (S,) [nat]."""
