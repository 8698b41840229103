"""
Gymnasium's MuJoCo environments, many of them stepped by one compiled call, on several threads.

What belongs to a task is read off one environment of Gymnasium's own, which is made with the same
arguments: model, spaces, weights, bounds. What that does in a step is done by
`npvpg.kernels.physics.mujoco`, which calls MuJoCo's library without Python in between.
"""

import ctypes
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from typing_extensions import override

from npvpg import checks
from npvpg.envs.base import CompiledVectorEnv
from npvpg.envs.mujoco_log import write_none
from npvpg.envs.mujoco_tasks import TASKS, Number, Task
from npvpg.kernels.physics import mujoco as kernels
from npvpg.kernels.physics.simulation import COPIED, Simulation
from npvpg.kernels.physics.tasks import LARGEST_SUM

FIELDS = (
    "qpos",
    "qvel",
    "ctrl",
    "cinert",
    "cvel",
    "qfrc_actuator",
    "qfrc_constraint",
    "cfrc_ext",
    "xpos",
    "xipos",
    "site_xpos",
)
"""What of an `mjData` is observed, rewarded or guarded somewhere."""
LIBRARIES = ("libmujoco.so*", "libmujoco*.dylib", "mujoco.dll")
STATE = mujoco.mjtState.mjSTATE_INTEGRATION


class MujocoVectorEnv(CompiledVectorEnv):
    """
    One of Gymnasium's MuJoCo environments, N times.

    From the same seeds and actions it gives the same numbers.

    Parameters
    ----------
    name : str
        Name of the original, of `npvpg.envs.mujoco_tasks.TASKS`.
    num_envs : int
        Number of sub-environments.
    max_episode_steps : int, optional
        Time limit; Gymnasium's own if None, no limit if -1 [steps].
    copy : bool
        As in `CompiledVectorEnv`.
    autoreset_mode : AutoresetMode or str
        As in `CompiledVectorEnv`.
    threads : int
        Threads that step, each its share of the sub-environments; no number depends on it.
    **options : Any
        Arguments of the original but ``render_mode``.

    Raises
    ------
    ValueError
        If an argument is out of range, or the model has more bodies or motors than the sums of
        the kernels hold.
    """

    reset_kernel = staticmethod(kernels.reset)
    step_kernel = staticmethod(kernels.step)

    def __init__(
        self,
        name: str,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED,
        threads: int = 1,
        **options: Any,
    ) -> None:
        checks.at_least(1, num_envs=num_envs, threads=threads)
        if options.get("render_mode") is not None:
            raise ValueError(
                "render_mode must be None: Gymnasium's own environments draw, "
                f"got {options['render_mode']}"
            )
        if max_episode_steps is None:
            max_episode_steps = gymnasium.spec(name).max_episode_steps or -1
        task = TASKS[name]
        write_none(screen="xml_file" in options)  # what is old in Gymnasium's models is no news
        self._original = task.make(**options)
        write_none()
        model = self._original.model
        n_summed = max(model.nu, 6 * model.nbody if any(task.weights[3:]) else 0)
        if n_summed > LARGEST_SUM:
            raise ValueError(
                f"{name} must have a model with at most {LARGEST_SUM} motors or forces to add up, "
                f"got {n_summed}"
            )
        super().__init__(
            num_envs,
            observation_space=self._original.observation_space,
            action_space=self._original.action_space,
            state_size=mujoco.mj_stateSize(model, STATE) + 1,
            low=(),
            high=(),
            max_episode_steps=max_episode_steps,
            copy=copy,
            autoreset_mode=autoreset_mode,
        )
        self._data = [mujoco.MjData(model) for _ in range(min(threads, num_envs))]
        self._arrays.divide(
            [partial(_given, simulation(task, self._original, data)) for data in self._data]
        )

    @property
    @override
    def kind(self) -> str:
        n = len(self._data)
        return f"compiled around MuJoCo, {n} thread{'s' if n > 1 else ''}"

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        self._arrays.close()
        self._original.close()


def __getattr__(name: str) -> Callable[..., MujocoVectorEnv]:
    """Give what makes the environment of that name, as Gymnasium's registry asks for it."""
    if name not in TASKS:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return partial(MujocoVectorEnv, name)


def _given(sim: Simulation, rng: NDArray[np.uint64]) -> tuple[Simulation]:
    """Let initial states be drawn from these generators."""
    return (sim._replace(rng=rng),)


def simulation(task: Task, original: Any, data: Any) -> Simulation:
    """
    Give the kernels what they need to know.

    Parameters
    ----------
    task : Task
        The task.
    original : gymnasium.envs.mujoco.MujocoEnv
        Gymnasium's own environment, whose arguments hold.
    data : mujoco.MjData
        Memory of the same model.

    Returns
    -------
    Simulation
        It points into the model and the memory, which must live as long.
    """
    model = original.model
    memory, places = _memory(data)

    def number(value: Number) -> float:
        return float(getattr(original, value) if isinstance(value, str) else value)

    def bounds(value: Any) -> tuple[float, float]:
        low, high = getattr(original, value) if isinstance(value, str) else value
        return float(low), float(high)

    def span(name: str, first: int = 0, last: int | None = None) -> tuple[int, int]:
        field, _, body = name.partition("/")
        at, size = places[field]
        if body:
            of = getattr(original, body) if body.startswith("_") else body
            at, size = at + 3 * data.body(of).id, 3
        return at + first, at + (size if last is None else last)

    seen, cuts = [], []
    for part in task.seen:
        less = span(part.less)[0] if part.less else -1
        seen.append((*span(part.name, part.first, part.last), part.what, less))
        cuts.append((-part.bound, part.bound))
    if not task.seen:
        for name, count in original.observation_structure.items():
            if name in places and count:
                last = span(name)[1]
                seen.append((last - count, last, COPIED, -1))
                cut = task.cut.get(name, np.inf)
                cuts.append(bounds(cut) if isinstance(cut, str) else (-cut, cut))
    fences = np.array([bounds(guard.bounds) for guard in task.healthy]).reshape(-1, 2)
    for fence, guard in zip(fences, task.healthy, strict=True):
        if guard.closed:
            fence[:] = np.nextafter(fence, (-np.inf, np.inf))
    ends = [(span(a)[0], span(b)[0]) for a, b in task.pairs]
    weights = np.array([number(weight) for weight in task.weights])
    looks = weights[3] or "cfrc_ext" in getattr(original, "observation_structure", {})
    masses = model.body_mass.copy() if task.place == "xipos" else np.empty(0)
    library = _library()
    return Simulation(
        model=model._address,
        data=data._address,
        step=_address(library.mj_step),
        after=_address(library.mj_rnePostConstraint) if looks else 0,
        restart=_address(library.mj_resetData),
        forward=_address(library.mj_forward),
        get=_address(library.mj_getState),
        put=_address(library.mj_setState),
        kind=int(STATE),
        substeps=original.frame_skip,
        memory=memory,
        qpos=data.qpos,
        qvel=data.qvel,
        ctrl=data.ctrl,
        force=data.cfrc_ext.reshape(-1),
        rng=np.empty((0, 4), np.uint64),
        start=task.start,
        first_qpos=original.init_qpos.copy(),
        first_qvel=original.init_qvel.copy(),
        spread=number(task.spread),
        seen=np.array(seen, np.int64),
        cuts=np.array(cuts),
        guarded=np.array([span(g.name, g.first, g.last) for g in task.healthy], np.int64).reshape(
            -1, 2
        ),
        fences=fences,
        ends=bool(getattr(original, "_terminate_when_unhealthy", True)),
        reward=task.reward,
        place=span(task.place)[0],
        masses=masses,
        mass=float(model.body_mass.sum()),
        dt=float(original.dt),
        weights=weights,
        force_range=np.array(bounds(getattr(original, "_contact_force_range", (-np.inf, np.inf)))),
        cost_range=np.array(bounds(getattr(original, "_contact_cost_range", (-np.inf, np.inf)))),
        pairs=np.array([*ends, (0, 0), (0, 0)][:2], np.int64),
        by_control=task.by_control,
    )


def _memory(data: Any) -> tuple[NDArray[np.float64], dict[str, tuple[int, int]]]:
    """Give what an `mjData` holds as one array, and where in it the fields are and how long."""
    fields = {name: getattr(data, name) for name in FIELDS}
    spans = {name: (field.ctypes.data, field.size) for name, field in fields.items() if field.size}
    low = min(at for at, _ in spans.values())
    size = max((at - low) // 8 + n for at, n in spans.values())
    memory = np.ctypeslib.as_array((ctypes.c_double * size).from_address(low))
    return memory, {name: ((at - low) // 8, n) for name, (at, n) in spans.items()}


@cache
def _library() -> ctypes.CDLL:
    """Open MuJoCo's library, which its Python package has loaded already."""
    folder = Path(mujoco.__file__).parent
    found = [file for name in LIBRARIES for file in sorted(folder.glob(name))]
    if not found:
        raise ImportError(f"mujoco must have its library in {folder}: one of {LIBRARIES}")
    return ctypes.CDLL(str(found[0]))


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
