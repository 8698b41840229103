"""Keeps MuJoCo from writing MUJOCO_LOG.TXT wherever a command happens to be run."""

import sys
from typing import Any


def write_none(*, screen: bool = True) -> None:
    """
    Let MuJoCo's warnings go to the screen alone; nothing where nobody has imported MuJoCo.

    Parameters
    ----------
    screen : bool
        Whether they go there; from version 4 on.
    """
    mujoco: Any = sys.modules.get("mujoco")
    if mujoco is None:
        return
    if hasattr(mujoco, "MjLogConfig"):
        config = mujoco.MjLogConfig.get()
        config.logto_file, config.logto_console = False, screen
        config.set()
    elif mujoco.get_mju_user_warning() is None:  # before version 4
        mujoco.set_mju_user_warning(lambda text: print("WARNING:", text, file=sys.stderr))
