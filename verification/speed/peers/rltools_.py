"""PPO of rl_tools in C++, on its own Pendulum, through its Python side."""
# ruff: noqa: PLC0415 - what is imported is measured

import ctypes
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verification.speed.peers.protocol import Call, Judge, serve, versions

MOST = 10_000  # episodes that may end in one step of the loop


def load() -> Mapping[str, Call]:
    """
    Import rl_tools.

    Returns
    -------
    mapping
        The call: train.
    """
    import rltools

    if not versions(("mkl-include",)):  # which says that there is mkl to link with as well
        raise ModuleNotFoundError("rl_tools needs it", name="mkl-include")

    def train(
        seed: int,
        settings: Mapping[str, Any],
        goal: float | None = None,
        max_seconds: float = 60.0,
    ) -> dict[str, Any]:
        began = time.perf_counter()
        # without BLAS its products would be plain loops: so it is asked for, or nothing is compiled
        module = rltools.PPO(
            {"path": str(Path(__file__).with_name("rl_tools")), "action_dim": 1,
             "observation_dim": 3},
            interface_name="npvpg", enable_evaluation=False, force_blas=True, **settings,
        )  # fmt: skip
        take, returns = ctypes.CDLL(module.__file__).take_returns, (ctypes.c_double * MOST)()
        state = module.State(seed)
        setup, done, taken = time.perf_counter() - began, False, 0
        n_steps = settings["N_ENVIRONMENTS"] * settings["ON_POLICY_RUNNER_STEPS_PER_ENV"]
        judge = Judge(goal, max_seconds)
        while not done:
            done, taken = state.step(), taken + n_steps
            ended = take(returns, ctypes.c_long(MOST))
            done = judge.stops(taken, returns[:ended]) or done
        return judge.result(setup)

    return {"train": train}


if __name__ == "__main__":
    serve(load, ("rltools", "mkl"))
