"""Gymnasium's MuJoCo environments, each described in a few lines; arguments are the original's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import inf
from typing import Any, NamedTuple

from npvpg.kernels.physics.simulation import (
    ARM,
    BALANCE,
    COPIED,
    COSINE,
    NORMAL,
    REACH,
    RUN,
    SINE,
    TABLE,
    UNIFORM,
)

Number = float | str
"""A number, or the original's attribute that holds it."""


class Part(NamedTuple):
    """
    Some numbers of an `mjData`.

    Attributes
    ----------
    name : str
        Its field; "xpos/tips_arm" for the three of one body.
    first, last : int or None
        The first of them and the one behind the last.
    what : int
        What is observed of them.
    less : str
        What is subtracted.
    bound : float
        Their largest size; what is larger is cut.
    """

    name: str
    first: int = 0
    last: int | None = None
    what: int = COPIED
    less: str = ""
    bound: float = inf


class Guard(NamedTuple):
    """
    Numbers of an `mjData` that must stay between bounds.

    Attributes
    ----------
    name : str
        Its field.
    first, last : int or None
        The first of them and the one behind the last.
    bounds : tuple of float, or str
        The bounds, or the original's attribute that holds them.
    closed : bool
        Whether the bounds themselves are inside.
    """

    name: str
    first: int = 0
    last: int | None = None
    bounds: tuple[float, float] | str = (-inf, inf)
    closed: bool = False


@dataclass(frozen=True)
class Task:
    """
    What an environment adds to its model.

    Parameters
    ----------
    original : str
        Module and class below `gymnasium.envs.mujoco`.
    start : int
        How an episode starts.
    reward : int
        What is rewarded.
    spread : float or str
        How far about the model's own positions and velocities it starts.
    seen : tuple of Part
        The observation; without it, as many of the last numbers of every field as the original
        says in its ``observation_structure``.
    cut : mapping
        Bounds of fields there.
    place : str
        Position whose velocity is rewarded, or of the tip of the pole; "xipos" for the centre of
        mass; "xpos/..." names the attribute that holds the number of the body.
    healthy : tuple of Guard
        What an episode lasts with.
    weights : tuple of float or str
        Of velocity, health, control and contact; or of two distances and, third, control.
    pairs : tuple of pairs of str
        Ends of the distances.
    by_control : bool
        Whether the controls are what costs, not the action.
    """

    original: str
    start: int
    reward: int = RUN
    spread: Number = "_reset_noise_scale"
    seen: tuple[Part, ...] = ()
    cut: Mapping[str, float | str] = field(default_factory=dict)
    place: str = "qpos"
    healthy: tuple[Guard, ...] = ()
    weights: tuple[Number, Number, Number, Number] = (0.0, 0.0, 0.0, 0.0)
    pairs: tuple[tuple[str, str], ...] = ()
    by_control: bool = False

    def make(self, **options: Any) -> Any:
        """
        Make the original.

        Parameters
        ----------
        **options : Any
            Its arguments.

        Returns
        -------
        gymnasium.envs.mujoco.MujocoEnv
            One environment.
        """
        module, name = self.original.split(":")
        return getattr(import_module(f"gymnasium.envs.mujoco.{module}"), name)(**options)


_RUN: tuple[Number, Number, Number, Number] = (
    "_forward_reward_weight",
    "_healthy_reward",
    "_ctrl_cost_weight",
    "_contact_cost_weight",
)
_FAST = (*_RUN[:1], 0.0, _RUN[2], 0.0)
_WALK = (*_RUN[:3], 0.0)

TASKS: dict[str, Task] = {
    "HalfCheetah-v5": Task("half_cheetah_v5:HalfCheetahEnv", NORMAL, weights=_FAST),
    "Swimmer-v5": Task("swimmer_v5:SwimmerEnv", UNIFORM, weights=_FAST),
    "Hopper-v5": Task(
        "hopper_v5:HopperEnv",
        UNIFORM,
        cut={"qvel": 10.0},
        healthy=(
            Guard("qpos", 1, 2, "_healthy_z_range"),
            Guard("qpos", 2, 3, "_healthy_angle_range"),
            Guard("qpos", 2, None, "_healthy_state_range"),
            Guard("qvel", 0, None, "_healthy_state_range"),
        ),
        weights=_WALK,
    ),
    "Walker2d-v5": Task(
        "walker2d_v5:Walker2dEnv",
        UNIFORM,
        cut={"qvel": 10.0},
        healthy=(
            Guard("qpos", 1, 2, "_healthy_z_range"),
            Guard("qpos", 2, 3, "_healthy_angle_range"),
        ),
        weights=_WALK,
    ),
    "Ant-v5": Task(
        "ant_v5:AntEnv",
        NORMAL,
        cut={"cfrc_ext": "_contact_force_range"},
        place="xpos/_main_body",
        healthy=(
            Guard("qpos"),
            Guard("qvel"),
            Guard("qpos", 2, 3, "_healthy_z_range", closed=True),
        ),
        weights=_RUN,
    ),
    "Humanoid-v5": Task(
        "humanoid_v5:HumanoidEnv",
        UNIFORM,
        place="xipos",
        healthy=(Guard("qpos", 2, 3, "_healthy_z_range"),),
        weights=_RUN,
        by_control=True,
    ),
    "InvertedPendulum-v5": Task(
        "inverted_pendulum_v5:InvertedPendulumEnv",
        UNIFORM,
        healthy=(
            Guard("qpos"),
            Guard("qvel"),
            Guard("qpos", 1, 2, (-0.2, 0.2), closed=True),
        ),
        weights=(0.0, 1.0, 0.0, 0.0),
    ),
    "InvertedDoublePendulum-v5": Task(
        "inverted_double_pendulum_v5:InvertedDoublePendulumEnv",
        NORMAL,
        BALANCE,
        seen=(
            Part("qpos", 0, 1),
            Part("qpos", 1, what=SINE),
            Part("qpos", 1, what=COSINE),
            Part("qvel", bound=10.0),
            Part("qfrc_constraint", 0, 1, bound=10.0),
        ),
        place="site_xpos",
        healthy=(Guard("site_xpos", 2, 3, (1.0, inf)),),
        weights=(0.0, "_healthy_reward", 0.0, 0.0),
    ),
    "Reacher-v5": Task(
        "reacher_v5:ReacherEnv",
        ARM,
        REACH,
        spread=0.1,
        seen=(
            Part("qpos", 0, 2, COSINE),
            Part("qpos", 0, 2, SINE),
            Part("qpos", 2),
            Part("qvel", 0, 2),
            Part("xpos/fingertip", 0, 2, less="xpos/target"),
        ),
        weights=("_reward_dist_weight", 0.0, "_reward_control_weight", 0.0),
        pairs=(("xpos/fingertip", "xpos/target"),),
    ),
    "Pusher-v5": Task(
        "pusher_v5:PusherEnv",
        TABLE,
        REACH,
        spread=0.0,
        seen=(
            Part("qpos", 0, 7),
            Part("qvel", 0, 7),
            Part("xpos/tips_arm"),
            Part("xpos/object"),
            Part("xpos/goal"),
        ),
        weights=("_reward_dist_weight", "_reward_near_weight", "_reward_control_weight", 0.0),
        pairs=(("xpos/object", "xpos/goal"), ("xpos/object", "xpos/tips_arm")),
    ),
}
"""What Gymnasium adds to the models, by the name of the environment."""
