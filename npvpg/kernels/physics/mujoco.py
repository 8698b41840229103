"""
MuJoCo's environments: Gymnasium's tasks around the physics of MuJoCo's own library.

A state (M,) is what MuJoCo says its next step depends on, and behind it where the body was whose
velocity is rewarded. One `mjData` serves all sub-environments of a thread: it takes the state of
one, steps, and gives the next one back. Of the two functions of MuJoCo that Gymnasium calls in a
step, the one that adds up the forces of contacts is left out where nobody looks at them.

Sums and products are not reordered or contracted, squares and sums are in the precision of the
action where Gymnasium's are, and NumPy's order of adding is kept, so both give the same bits.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.kernels.compiler import jit
from npvpg.kernels.foreign import call, call_with_row
from npvpg.kernels.normal import standard_normal
from npvpg.kernels.pcg64 import next_double
from npvpg.kernels.physics import ENDED
from npvpg.kernels.physics.simulation import ARM, NORMAL, TABLE, UNIFORM, Array, Simulation
from npvpg.kernels.physics.tasks import healthy, observe, position, reward


def _uniform(row: NDArray[np.uint64], low: float, high: float) -> float:
    """Draw one number, as ``Generator.uniform(low, high)`` does."""
    return low + (high - low) * next_double(row)


between = jit(_uniform)


def _begin(sim: Simulation, row: NDArray[np.uint64]) -> None:
    """Draw positions and velocities from a generator (4,), in the order of ``reset_model``."""
    qpos, qvel, spread = sim.qpos, sim.qvel, sim.spread
    n, goal = qpos.size, qpos.size - 2
    if sim.start == TABLE:
        for j in range(n):
            qpos[j] = sim.first_qpos[j]
        qpos[n - 2] = qpos[n - 1] = 0.0
        goal = n - 4
    else:
        for j in range(n):
            qpos[j] = sim.first_qpos[j] + between(row, -spread, spread)
    drawing = sim.start in (ARM, TABLE)
    while drawing:
        if sim.start == ARM:
            qpos[goal], qpos[goal + 1] = between(row, -0.2, 0.2), between(row, -0.2, 0.2)
        else:
            qpos[goal], qpos[goal + 1] = between(row, -0.3, 0.0), between(row, -0.2, 0.2)
        far = math.sqrt(qpos[goal] * qpos[goal] + qpos[goal + 1] * qpos[goal + 1])
        drawing = far >= 0.2 if sim.start == ARM else far <= 0.17
    for j in range(qvel.size):
        if sim.start == UNIFORM:
            qvel[j] = sim.first_qvel[j] + between(row, -spread, spread)
        elif sim.start == NORMAL:
            qvel[j] = sim.first_qvel[j] + spread * standard_normal(row)
        else:
            qvel[j] = sim.first_qvel[j] + between(row, -0.005, 0.005)
            if j >= goal + qvel.size - n:
                qvel[j] = 0.0


begin = jit(_begin)


def _reset(
    noise: Array,
    rows: NDArray[np.int64],
    state: Array,
    steps: NDArray[np.int64],
    obs: Array,
    sim: Simulation,
) -> None:
    """Start episodes, as `npvpg.kernels.physics.loops` says it; draw what they start from."""
    for k in range(rows.size):
        i = rows[k]
        call(sim.restart, sim.model, sim.data)
        begin(sim, sim.rng[i])
        call(sim.forward, sim.model, sim.data)
        observe(sim, obs[i])
        call_with_row(sim.get, sim.model, sim.data, state[i].ctypes.data, sim.kind)
        state[i, -1] = position(sim)
        steps[i] = 0


reset = jit(_reset, nogil=True)


def _step(
    act: NDArray[Any],
    state: Array,
    steps: NDArray[np.int64],
    limit: int,
    obs: Array,
    rew: Array,
    ends: NDArray[np.bool_],
    rng: NDArray[np.uint64],
    sim: Simulation,
) -> int:
    """Take one step in every sub-environment, as `npvpg.kernels.physics.loops` says it."""
    n = steps.size
    for i in range(n):
        if steps[i] < 0:
            return i
    for i in range(n):
        before = state[i, -1]
        call_with_row(sim.put, sim.model, sim.data, state[i].ctypes.data, sim.kind)
        for j in range(act.shape[1]):
            sim.ctrl[j] = act[i, j]
        for _ in range(sim.substeps):
            call(sim.step, sim.model, sim.data)
        if sim.after != 0:
            call(sim.after, sim.model, sim.data)
        observe(sim, obs[i])
        here, is_healthy = position(sim), healthy(sim)
        rew[i] = reward(sim, act[i], (here - before) / sim.dt, is_healthy)
        call_with_row(sim.get, sim.model, sim.data, state[i].ctypes.data, sim.kind)
        state[i, -1] = here
        steps[i] += 1
        ends[0, i] = sim.ends and not is_healthy
        ends[1, i] = steps[i] >= limit
        if ends[0, i] or ends[1, i]:
            steps[i] = ENDED
    return -1


step = jit(_step, nogil=True)
