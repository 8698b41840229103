"""What MuJoCo's environments show and pay, of what the memory of a simulation holds."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.physics.simulation import BALANCE, COSINE, REACH, SINE, Array, Simulation

LARGEST_SUM: Final = 128
"""Numbers that NumPy adds up without cutting them in two."""


def _sum_of_squares(x: NDArray[Any], low: float, high: float) -> Any:
    r"""
    Add up squares of at most 128 numbers (n,), as ``np.sum(np.square(np.clip(x, low, high)))``.

    .. math:: \sum_j \min(\max(x_j, l), h)^2

    NumPy adds eight sums up side by side from eight numbers on.
    """
    kind = x.dtype.type
    least, most = kind(low), kind(high)
    part = np.zeros(8, x.dtype)
    whole = x.size - x.size % 8 if x.size >= 8 else 0
    for j in range(whole):
        y = min(max(x[j], least), most)
        part[j % 8] += y * y
    total = ((part[0] + part[1]) + (part[2] + part[3])) + (
        (part[4] + part[5]) + (part[6] + part[7])
    )
    for j in range(whole, x.size):
        y = min(max(x[j], least), most)
        total += y * y
    return total


sum_of_squares = jit(_sum_of_squares)


def _observe(sim: Simulation, obs: Array) -> None:
    """Write an observation (O,) of what the memory holds."""
    k = 0
    for p in range(len(sim.seen)):
        first, what, less = sim.seen[p, 0], sim.seen[p, 2], sim.seen[p, 3]
        for j in range(first, sim.seen[p, 1]):
            x = sim.memory[j]
            if less >= 0:
                x = x - sim.memory[less + j - first]
            if what == SINE:
                x = math.sin(x)
            elif what == COSINE:
                x = math.cos(x)
            obs[k] = min(max(x, sim.cuts[p, 0]), sim.cuts[p, 1])
            k += 1


observe = jit(_observe)


def _position(sim: Simulation) -> float:
    r"""
    Position whose velocity is rewarded [m]: a number of the memory, or that of the centre of mass.

    .. math:: x = \sum_b m_b x_b \Big/ \sum_b m_b
    """
    if sim.masses.size == 0:
        return float(sim.memory[sim.place])
    total = 0.0
    for b in range(sim.masses.size):
        total += sim.masses[b] * sim.memory[sim.place + 3 * b]
    return total / sim.mass


position = jit(_position)


def _healthy(sim: Simulation) -> bool:
    """Whether all that is guarded lies between its bounds."""
    for g in range(len(sim.guarded)):
        for j in range(sim.guarded[g, 0], sim.guarded[g, 1]):
            if not sim.fences[g, 0] < sim.memory[j] < sim.fences[g, 1]:
                return False
    return True


healthy = jit(_healthy)


def _distance(sim: Simulation, k: int) -> float:
    r"""Distance between the two ends of pair k [m], :math:`\sqrt{\sum_j (a_j - b_j)^2}`."""
    total = 0.0
    for j in range(3):
        x = sim.memory[sim.pairs[k, 0] + j] - sim.memory[sim.pairs[k, 1] + j]
        total += x * x
    return math.sqrt(total)


distance = jit(_distance)


def _reward(sim: Simulation, act: NDArray[Any], velocity: float, is_healthy: bool) -> float:
    r"""
    Reward of a step, of the action (D,) and what the memory holds.

    Running: :math:`(w_v v + w_h h) - (w_a \sum a^2 + \min(\max(w_f \sum f^2, l), u))` with velocity
    v, health h in 0 and 1, forces f. Reaching: :math:`(-w_1 d_1 - w_a \sum a^2) - w_2 d_2` of the
    distances. A pole on a pole, tip at (x, y): :math:`w_h h - (0.01 x^2 + (y - 2)^2) -
    (10^{-3}\dot\theta_1^2 + 5 \cdot 10^{-3}\dot\theta_2^2)`.

    The exponent is in a form that the compiler cannot know, see `npvpg.kernels.physics.acrobot`.
    """
    kind = act.dtype.type
    weights = sim.weights
    if sim.reward == BALANCE:
        two = float(sim.pairs.shape[0])
        x, y = sim.memory[sim.place], sim.memory[sim.place + 2]
        far = 0.01 * math.pow(x, two) + math.pow(y - 2.0, two)
        fast = 1e-3 * math.pow(sim.qvel[1], two) + 5e-3 * math.pow(sim.qvel[2], two)
        return float((weights[1] if is_healthy else 0.0) - far - fast)
    if sim.by_control:
        control = weights[2] * sum_of_squares(sim.ctrl, -np.inf, np.inf)
    else:
        control = float(kind(weights[2]) * sum_of_squares(act, -np.inf, np.inf))
    if sim.reward == REACH:
        near = -distance(sim, 0) * weights[0] - control
        return float(near - distance(sim, 1) * weights[1])
    contact = 0.0
    if weights[3] != 0.0:
        contact = weights[3] * sum_of_squares(sim.force, sim.force_range[0], sim.force_range[1])
        contact = min(max(contact, sim.cost_range[0]), sim.cost_range[1])
    gain = weights[0] * velocity + (weights[1] if is_healthy else 0.0)
    return float(gain - (control + contact))


reward = jit(_reward)
