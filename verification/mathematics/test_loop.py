"""G: optimisers, normalisation, and a loop that is a function of its seed."""

import math

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.collect import FixedHorizon, WholeEpisodes
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.estimators import GAE, RewardToGo
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.normalize import RunningMoments
from npvpg.optimizers import SGD, Adam, Ascent, Linear, clip_by_global_norm, global_norm
from npvpg.policy import Policy
from npvpg.state import TrainState
from npvpg.value import MLPValue, ZeroValue
from npvpg.vpg import Learner
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification import flat
from verification.claims import claim, observe, require

SEED = st.integers(0, 2**32 - 1)
MAGNITUDE = st.sampled_from([1e-12, 1.0, 1e6])


@claim(
    name="G1",
    title="Optimisers",
    statement=r"\theta_t = \theta_{t-1} + \alpha\,\hat m_t/(\sqrt{\hat v_t}+\epsilon)",
    words="SGD, Adam, clipping and schedules equal closed sums over the gradient's history",
    assumptions="finite gradients",
    source="Kingma and Ba 2015, algorithm 1",
    method="sums over the whole history",
    tolerance=1e-12,
    tolerance_reason="relative to the size of the parameters",
    about=(
        "npvpg.optimizers.steps.Adam",
        "npvpg.kernels.adam.adam",
        "npvpg.optimizers.steps.SGD",
        "npvpg.optimizers.chain.Ascent",
        "npvpg.optimizers.clipping.clip_by_global_norm",
        "npvpg.optimizers.clipping.global_norm",
        "npvpg.optimizers.chain.Linear",
    ),
)
@given(st.integers(1, 6), MAGNITUDE, SEED)
def test_optimizers(n_made, size, seed):
    rng = np.random.default_rng([71, seed])
    history = size * rng.standard_normal((n_made, 3))
    adam = Adam(0.9, 0.99, 1e-8)
    theta = plain = np.zeros(3)
    state, plain_state = adam.init(theta), SGD().init(theta)
    want = np.zeros(3)
    for t in range(1, n_made + 1):
        theta, state = adam.step(theta, history[t - 1], state, 0.1)
        plain, plain_state = SGD().step(plain, history[t - 1], plain_state, 0.1)
        powers = np.arange(t)[::-1, np.newaxis]
        mean = (0.1 * 0.9**powers * history[:t]).sum(axis=0) / (1 - 0.9**t)
        square = (0.01 * 0.99**powers * history[:t] ** 2).sum(axis=0) / (1 - 0.99**t)
        want = want + 0.1 * mean / (np.sqrt(square) + 1e-8)
        observe(float(np.abs(theta - want).max()), 1e-12 * (0.1 * t))
    observe(float(np.abs(plain - 0.1 * history.sum(axis=0)).max()), 1e-12 * size * n_made)
    norm = float(np.sqrt((history[0] ** 2).sum()))
    for bound in (norm * 2, norm / 2):
        clipped = clip_by_global_norm(history[0], bound)
        observe(abs(global_norm(history[0]) / norm - 1), 1e-12)
        observe(float(np.abs(clipped - history[0] * min(1, bound / norm)).max()), 1e-12 * norm)
    observe(abs(Linear(2.0, 1.0)(0.25) - 1.75), 0)


@claim("G1")
@given(st.integers(1, 4), st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([SGD(), Adam()]), SEED)
def test_the_chain(n_made, bound, optimizer, seed):
    """Bound, optimiser and schedule in that order; bits of the three by hand."""
    rng = np.random.default_rng([74, seed])
    chain = Ascent(Linear(0.5, 0.1), optimizer, bound)
    theta = plain = rng.standard_normal(3)
    state, plain_state = chain.init(theta), optimizer.init(plain)
    for k in range(n_made):
        grad, fraction = rng.standard_normal(3), k / 4
        theta, state = chain.step(theta, grad, state, fraction)
        norm = float(np.sqrt((grad**2).sum()))
        short = grad * min(1.0, bound / norm) if bound else grad
        lr = 0.5 + (0.1 - 0.5) * fraction
        plain, plain_state = optimizer.step(plain, short, plain_state, lr)
        observe(float(np.abs(theta - plain).max()), 1e-14 * (1 + float(np.abs(plain).max())))


@claim("G1")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [SGD(), Adam()])
def test_a_step_keeps_the_precision(kind, optimizer):
    """Whatever type the step size, the bound and the gradient have."""
    theta, grad = np.ones(2, kind), np.full(2, 3.0)
    chain = Ascent(Linear(np.float64(0.1), np.float64(0.1)), optimizer, np.float64(0.5))
    stepped, _ = chain.step(theta, grad, chain.init(theta), np.float64(0.5))
    clipped = clip_by_global_norm(grad.astype(kind), np.float64(1.0))
    require(stepped.dtype == kind == clipped.dtype)


@claim("G1")
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_has_no_length(bad):
    with pytest.raises(ValueError, match=f"^grad must be finite, got {bad} at index 1$"):
        global_norm(np.array([0.0, bad]))
    with pytest.raises(ValueError, match=f"^grad must be finite, got {bad} at index 1$"):
        clip_by_global_norm(np.array([0.0, bad]), 1.0)


@claim("G1")
@given(st.floats(1e-12, 1e6), st.booleans(), st.floats(1e-3, 1.0))
@example(1e-12, True, 0.1)
def test_first_step_of_adam(size, negative, lr):
    """-lr g / (|g| + eps), whatever the decays; a gradient of zero moves nothing."""
    grad = np.array([-size if negative else size, 0.0])
    adam = Adam()
    theta, state = adam.step(np.zeros(2), grad, adam.init(grad), -lr)
    want = -lr * grad / (np.abs(grad) + adam.eps)
    observe(float(np.abs(theta - want).max()), 1e-13 * lr)
    nothing, _ = adam.step(theta, np.zeros(2), adam.init(grad), lr)
    observe(float(np.abs(nothing - theta).max()), 0)
    for _ in range(5):  # nor do zeros after it make anything but numbers
        theta, state = adam.step(theta, np.zeros(2), state, lr)
        require(np.isfinite(theta).all() and theta[1] == 0)
    same = clip_by_global_norm(np.zeros(2), 1.0)
    observe(float(np.abs(same).max()) + global_norm(same), 0)


@claim("G2")
@pytest.mark.parametrize("n_rows", [1, 7])
def test_looking_does_not_change_the_statistics(n_rows):
    """What the policy sees in an evaluation is normalised by the numbers of the training."""
    rng = np.random.default_rng(74)
    algorithm = _algorithm("Pendulum-v1")
    moments = RunningMoments.empty(3).update(2 + rng.standard_normal((20, 3)))
    state = initial_state(algorithm, n_envs=2, seed=0)._replace(obs_moments=moments)
    rows = rng.standard_normal((n_rows, 3))
    want = (rows - moments.mean) / np.sqrt(moments.var + 1e-8)
    for _ in range(2):
        observe(float(np.abs(state.observe(rows) - want).max()), 1e-13)
    require(state.obs_moments.n_rows == 20)


def _env(name, n):
    return gym.make_vec(
        name,
        n,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
    )


def _algorithm(name):
    schedule = Linear(3e-3, 0.0)
    if name == "Pendulum-v1":
        policy = Policy(MLP((3, 8, 1)), DiagonalGaussian(1))
        return flat.vpg(
            policy,
            MLPValue(MLP((3, 8, 1))),
            GAE(0.9, 0.9),
            FixedHorizon(30),
            schedule,
            normalize_obs=True,
            normalize_rewards=True,
            value_minibatch=17,
            value_steps=2,
        )
    policy = Policy(MLP((4, 8, 2)), Categorical(2))
    if name == "episodes":
        return flat.vpg(policy, ZeroValue(), RewardToGo(0.9), WholeEpisodes(2), schedule)
    value = MLPValue(MLP((4, 8, 1)))
    return flat.vpg(policy, value, GAE(0.9, 0.9), FixedHorizon(20), schedule, value_steps=2)


def _run(name, n_steps, state=None):
    env = _env("Pendulum-v1" if name == "Pendulum-v1" else "CartPole-v1", 3)
    try:
        return list(iterate(env, _algorithm(name), seed=5, n_steps=n_steps, state=state))
    finally:
        env.close()


def _same(one, other):
    a, b = one.to_arrays(), other.to_arrays()
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@claim(
    name="G3",
    title="Resume is exact",
    statement=r"\mathrm{run}(k+m) = \mathrm{resume}(\mathrm{save}(\mathrm{run}(k)), m)",
    words="a run taken up from its arrays in mid-episode equals one that never stopped",
    assumptions="the environment follows from its seed",
    source="this library",
    method="bitwise comparison of all states and episodes, in any order of use that is drawn",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.loop.iterate",
        "npvpg.state.TrainState",
        "npvpg.world.vector.SeededVectorEnv",
        "npvpg.world.position.replay",
        "npvpg.world.rollout.Position",
    ),
)
@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "episodes"])
def test_resume(name):
    whole = _run(name, 600)
    for k in (1, 3):
        saved = TrainState.from_arrays(whole[k - 1].state.to_arrays(), Learner)
        try:
            rest = _run(name, 600, saved)
        except ValueError:  # the replay did not arrive where the run had stopped
            rest = []
        require(len(rest) == len(whole) - k)
        for one, other in zip(rest, whole[k:], strict=True):
            require(_same(one.state, other.state))
            require(one.episodes == other.episodes)


@claim("G3")
@pytest.mark.parametrize(
    "field",
    ["theta", "phi", "policy_optimizer", "value_optimizer", "obs_moments", "return_moments"],
)
def test_every_field_is_needed(field):
    """Losing any one of them is seen: the control of the claim."""
    whole = _run("Pendulum-v1", 300)
    fresh = _run("Pendulum-v1", 90)[0].state
    first = whole[1].state
    if field in Learner._fields:
        spoilt = first.learner._replace(**{field: getattr(fresh.learner, field)})
        lost = first._replace(learner=spoilt)
    else:
        lost = first._replace(**{field: getattr(fresh, field)})
    rest = _run("Pendulum-v1", 300, lost)
    require(not _same(rest[-1].state, whole[-1].state))


@claim(
    name="G4",
    title="Streams belong to sub-environments",
    statement=r"\mathrm{batch}_N|_i = \mathrm{batch}_{M}|_i",
    words="what a sub-environment does follows from its number, not from how many there are",
    assumptions="same parameters",
    source="this library",
    method="three sub-environments beside one and two; one long horizon beside two short ones",
    tolerance=1e-12,
    tolerance_reason="matrix products of other heights round differently; the actions are equal",
    about=(
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.rollout.whole_episodes",
        "npvpg.world.streams.generator",
    ),
)
def test_streams():
    policy = Policy(MLP((4, 8, 2)), Categorical(2))
    actor = Actor(policy, policy.init(np.random.default_rng(0)))
    batches = {}
    for n in (1, 2, 3):
        env = SeededVectorEnv(_env("CartPole-v1", n), seed=7)
        start = Position.initial(n)
        batches[n] = (
            fixed_horizon(env, actor, start, n_steps=60, iteration=4).batch,
            whole_episodes(env, actor, start, n_episodes=2, iteration=4).batch,
        )
    for n in (1, 2):
        for few, many in zip(batches[n], batches[3], strict=True):
            rows = slice(0, few.n_steps)
            require(np.array_equal(few.act, many.act[rows]))
            observe(float(np.abs(few.obs - many.obs[rows]).max()), 1e-12)
    env = SeededVectorEnv(_env("CartPole-v1", 2), seed=7)
    short = fixed_horizon(env, actor, Position.initial(2), n_steps=30, iteration=4).batch
    for i in range(2):
        have, long = short.act[30 * i :][:30], batches[2][0].act[60 * i :][:30]
        require(np.array_equal(have, long))
    firsts = batches[3][1].obs[batches[3][1].start[:-1]]
    require(len(np.unique(firsts, axis=0)) == 6)
