"""What an environment must tell so that a return can be differentiated through it."""

from typing import Any, Protocol

from numpy.typing import NDArray


class System(Protocol):
    """
    Differentiable environment: N states side by side, shape (N, X), and what follows from them.

    The derivatives are products with transposed Jacobians, row by row: they carry a derivative
    with respect to what comes out back to what went in.
    """

    @property
    def n_state(self) -> int:
        """Size of a state, X."""

    @property
    def n_obs(self) -> int:
        """Size of an observation, O."""

    @property
    def n_act(self) -> int:
        """Size of an action, D."""

    def observe(self, x: NDArray[Any]) -> NDArray[Any]:
        """Observations of states, shape (N, O)."""

    def move(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        """States after actions, shape (N, X)."""

    def reward(self, x: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
        """Rewards of actions in states, shape (N,)."""

    def final(self, x: NDArray[Any]) -> NDArray[Any]:
        """What states are worth where a trajectory is cut, shape (N,)."""

    def observe_back(self, x: NDArray[Any], d_obs: NDArray[Any]) -> NDArray[Any]:
        """From observations to states, shape (N, X)."""

    def move_back(
        self, x: NDArray[Any], a: NDArray[Any], d_next: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """From next states to states (N, X) and actions (N, D)."""

    def reward_back(self, x: NDArray[Any], a: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Derivative of the reward with respect to states (N, X) and actions (N, D)."""

    def final_back(self, x: NDArray[Any]) -> NDArray[Any]:
        """Derivative of what states are worth at the end, shape (N, X)."""
