"""L1: the file that is read first is the library."""

import itertools
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import npvpg
from npvpg.optimizers import Ascent, Linear
from verification.claims import claim, require

FILE = Path(__file__).parents[2] / "examples" / "from_scratch.py"
SEED = st.integers(0, 2**31 - 1)


@cache
def from_scratch() -> dict[str, Any]:
    """Run the file once, as a module and not as a program."""
    return runpy.run_path(str(FILE))


@claim(
    name="L1",
    title="One file of NumPy and Gymnasium alone learns what the library learns, bit for bit",
    statement=r"\theta_k = \theta^{\text{file}}_k, \qquad \phi_k = \phi^{\text{file}}_k",
    words="after 60 updates policy and value of examples/from_scratch.py are those of npvpg",
    assumptions="CartPole-v1, whole episodes, GAE, Adam, float64; one machine and one NumPy",
    source="Spinning Up, algorithm Vanilla Policy Gradient",
    method="a second program, which shares no line with the library",
    tolerance=0,
    tolerance_reason="both do the same sums in the same order, so every bit agrees",
    about=(
        "npvpg.vpg.VPG",
        "npvpg.loop.iterate",
        "npvpg.collect.WholeEpisodes",
        "npvpg.mlp.MLP.init",
        "npvpg.estimators.GAE",
        "npvpg.gradient.policy_gradient",
        "npvpg.stages.value_fit.ValueFit",
        "npvpg.optimizers.Adam",
    ),
)
@settings(max_examples=12)
@given(SEED, st.integers(1, 3))
@example(0, 60)
def test_same_bits(seed, updates):
    file = from_scratch()
    theta, phi = file["train"](updates, seed, report=lambda _: None)
    made = npvpg.make("CartPole-v1", envs=file["K"])
    policy = npvpg.Policy(npvpg.MLP(file["POLICY"]), npvpg.Categorical(2))
    gae = npvpg.GAE(file["GAMMA"], file["LAMBDA"])
    climb, fit = (
        Ascent(Linear(lr, lr), npvpg.Adam()) for lr in (file["POLICY_LR"], file["VALUE_LR"])
    )
    algorithm = npvpg.VPG(
        policy,
        npvpg.MLPValue(npvpg.MLP(file["VALUE"])),
        npvpg.WholeEpisodes(1),
        npvpg.Weigh(gae),
        npvpg.PolicyStep(climb),
        npvpg.ValueFit(fit, value_target=gae, value_steps=file["PASSES"]),
    )
    run = npvpg.iterate(made.env, algorithm, seed=seed, n_steps=10**9)
    *_, last = itertools.islice(run, updates)
    made.env.close()
    learner = last.state.learner
    told = f"{seed=}, {updates=}"
    require(np.array_equal(learner.theta, theta), f"theta {told}")
    require(np.array_equal(learner.phi, phi), f"phi {told}")


def test_it_needs_nothing_else():
    text = FILE.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= 150
    imports = {line for line in lines if line.startswith(("import ", "from "))}
    assert imports == {"import sys", "import gymnasium", "import numpy as np"}
