"""What the kernels know of a model of MuJoCo's and of a task of Gymnasium's."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COPIED, SINE, COSINE = 0, 1, 2
"""What is observed of a number."""
UNIFORM, NORMAL, ARM, TABLE = 0, 1, 2, 3
"""How an episode starts: positions and velocities uniform; velocities normal; Reacher; Pusher."""
RUN, BALANCE, REACH = 0, 1, 2
"""What is rewarded: velocity and health; a pole on a pole; being near."""

Array = NDArray[np.float64]


class Simulation(NamedTuple):
    """
    A model, the memory that it is stepped in, and a task.

    Attributes
    ----------
    model, data : int
        Addresses of an `mjModel` and of an `mjData`.
    step, after, restart, forward, get, put : int
        Addresses of ``mj_step``, ``mj_rnePostConstraint`` (0 where it is left out),
        ``mj_resetData``, ``mj_forward``, ``mj_getState`` and ``mj_setState``.
    kind : int
        Bits that say what a state holds.
    substeps : int
        Steps of the physics in a step of the environment.
    memory : ndarray of float64, shape (B,)
        What the `mjData` holds; places below count in it.
    qpos, qvel, ctrl, force : ndarray of float64
        Parts of it: positions, velocities, controls, forces of contacts.
    rng : ndarray of uint64, shape (N, 4)
        What initial states are drawn from.
    start : int
        How an episode starts.
    first_qpos, first_qvel : ndarray of float64
        Positions and velocities that it starts about.
    spread : float
        How far about.
    seen : ndarray of int64, shape (K, 4)
        Parts of the observation: first place and the one behind the last, what is observed of
        them, and the first place of what is subtracted, -1 for nothing.
    cuts : ndarray of float64, shape (K, 2)
        Their bounds.
    guarded : ndarray of int64, shape (G, 2)
        Numbers that must stay between bounds: first place and the one behind the last.
    fences : ndarray of float64, shape (G, 2)
        These bounds, themselves outside.
    ends : bool
        Whether an episode terminates when one does not.
    reward : int
        What is rewarded.
    place : int
        Place of the position whose velocity is; the first of the bodies' centres if it is the
        centre of mass.
    masses : ndarray of float64, shape (bodies,)
        Masses of the bodies if so, else empty.
    mass : float
        Their sum.
    dt : float
        Length of a step of the environment [s].
    weights : ndarray of float64, shape (4,)
        Of velocity, health, control and contact; or of control and two distances.
    force_range, cost_range : ndarray of float64, shape (2,)
        Bounds of a force of contact and of their cost.
    pairs : ndarray of int64, shape (2, 2)
        Places of the two ends of each distance; equal for none.
    by_control : bool
        Whether the cost of control is that of the controls, in double precision, or of the action.
    """

    model: int
    data: int
    step: int
    after: int
    restart: int
    forward: int
    get: int
    put: int
    kind: int
    substeps: int
    memory: Array
    qpos: Array
    qvel: Array
    ctrl: Array
    force: Array
    rng: NDArray[np.uint64]
    start: int
    first_qpos: Array
    first_qvel: Array
    spread: float
    seen: NDArray[np.int64]
    cuts: Array
    guarded: NDArray[np.int64]
    fences: Array
    ends: bool
    reward: int
    place: int
    masses: Array
    mass: float
    dt: float
    weights: Array
    force_range: Array
    cost_range: Array
    pairs: NDArray[np.int64]
    by_control: bool
