"""E8: what the collectors hand over is what happened, whatever ends a trajectory and where."""

from itertools import chain, pairwise

import gymnasium as gym
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.collect import FixedHorizon
from npvpg.distributions import Categorical, DiagonalGaussian
from npvpg.estimators import GAE, named
from npvpg.loop import initial_state, iterate
from npvpg.mlp import MLP
from npvpg.optimizers import SGD, Linear
from npvpg.policy import Policy
from npvpg.value import MLPValue
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, play_episodes, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification import flat
from verification.claims import claim, observe, require
from verification.mathematics.scripted import Script, Scripted, scripts
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import returns as textbook

N_STEPS = st.integers(1, 12)
PINNED = Script()
PLAIN = Policy(MLP((1, 2)), Categorical(2))


def _driver(actions, script=PINNED, seed=0):
    env = Scripted(script.lengths, script.ends, actions)
    return env, SeededVectorEnv(env, seed=seed)


def _compare(batch, logs):
    """Compare a batch with the transitions that the environment itself wrote down."""
    rows = [row for log in logs for row in log]
    want = [np.array(column) for column in zip(*rows, strict=True)]
    require(np.array_equal(batch.obs[:, 0], want[0]))
    require(np.array_equal(np.ravel(batch.act), want[1]))
    require(np.array_equal(batch.rew, want[2]))
    cuts, at = [], 0
    for log in logs:
        cuts += [at + t for t, row in enumerate(log) if row[5] or t == len(log) - 1]
        at += len(log)
    require(np.array_equal(batch.start, [0, *(t + 1 for t in cuts)]))
    require(np.array_equal(batch.last_obs[:, 0], want[3][cuts]))
    require(np.array_equal(batch.terminated, want[4][cuts].astype(bool)))


@claim(
    name="E8",
    title="The pipeline by replay",
    statement=r"(s_t, a_t, r_t, s_T, \mathrm{terminated}) = \mathrm{script}",
    words="both collectors hand over exactly the transitions a scripted environment wrote down",
    assumptions="autoreset disabled",
    source="Pardo et al. 2018; the Gymnasium documentation on autoreset",
    method="a scripted environment that keeps its own log",
    tolerance=0.0,
    tolerance_reason="bitwise",
    about=(
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.rollout.whole_episodes",
        "npvpg.world.rollout.play_episodes",
        "npvpg.world.vector.SeededVectorEnv.step",
        "npvpg.world.vector.SeededVectorEnv.reset",
    ),
)
@given(scripts(), N_STEPS, SEED)
@example(PINNED, 1, 0)
@example(PINNED, 6, 0)
@example(PINNED, 7, 0)
def test_fixed_horizon(script, n_steps, seed):
    env, driver = _driver(gym.spaces.Discrete(2), script, seed)
    position = Position.initial(env.num_envs)
    finished, held = [], []
    for k in range(2):  # the second batch goes on where the first stopped
        for log in env.log:
            log.clear()
        actor = Actor(PLAIN, np.zeros(PLAIN.size))
        rollout = fixed_horizon(driver, actor, position, n_steps=n_steps, iteration=k)
        _compare(rollout.batch, env.log)
        position = rollout.position
        finished += [episode.length for episode in rollout.episodes]
        held.append((position.obs, position.obs.copy()))
    require(all(np.array_equal(*pair) for pair in held), "positions stay")
    require(sorted(finished) == sorted(script.finished(2 * n_steps)), lambda: f"{script}")


@claim("E8")
@given(scripts(), st.integers(1, 3), SEED)
@example(PINNED, 1, 0)
@example(PINNED, 2, 0)
@example(PINNED, 3, 0)
def test_whole_episodes(script, n_episodes, seed):
    env, driver = _driver(gym.spaces.Discrete(2), script, seed)
    actor, n_envs = Actor(PLAIN, np.zeros(PLAIN.size)), env.num_envs
    try:
        rollout = whole_episodes(
            driver, actor, Position.initial(n_envs), n_episodes=n_episodes, iteration=0
        )
    except ValueError as error:  # a batch that is none, because an episode is missing
        require(False, str(error))
        return
    lengths = script.played(n_episodes)
    _compare(rollout.batch, [log[: sum(n)] for log, n in zip(env.log, lengths, strict=True)])
    require(rollout.batch.lengths.tolist() == list(chain(*lengths)), lambda: f"{script}")
    _, driver = _driver(gym.spaces.Discrete(2), script, seed)
    returns, played = play_episodes(driver, actor, n_episodes=n_envs * n_episodes)
    require(played.tolist() == list(chain(*lengths)), lambda: f"{script}")
    require(len(returns) == n_envs * n_episodes)


@claim("E8")
@given(SEED, st.sampled_from([1e-6, 1e-3, 0.1]))
@example(0, 0.1)
def test_actions_are_clipped_on_the_way_out_only(seed, width):
    box = gym.spaces.Box(-width, width, (1,), np.float64)
    env, driver = _driver(box, seed=seed)
    policy = Policy(MLP((1, 1)), DiagonalGaussian(1))
    rollout = fixed_horizon(
        driver, Actor(policy, np.zeros(policy.size)), Position.initial(2), n_steps=6, iteration=0
    )
    sent = np.array([row[1] for log in env.log for row in log])
    act = rollout.batch.act[:, 0]
    require(np.array_equal(sent, np.clip(act, -width, width)))
    require(np.abs(act).max() > width)


@claim(
    name="E9",
    title="One update of the loop",
    statement=r"\theta_1 = \theta_0 + \alpha\hat g,\quad \phi_1 = \phi_0 - \beta\nabla L",
    words="the loop's first update is the estimator, gradient and value step put together by hand",
    assumptions="SGD; a horizon whose tail is bootstrapped where it did not terminate",
    source="Spinning Up, algorithm Vanilla Policy Gradient; Pardo et al. 2018",
    method="textbook sums over lists, per-sample scores",
    tolerance=1e-12,
    tolerance_reason="relative to the parameters: the sums run in another order",
    about=(
        "npvpg.vpg.VPG",
        "npvpg.stages.weigh.Weigh",
        "npvpg.stages.policy_step.PolicyStep",
        "npvpg.stages.policy_step.PolicyStage.gradient",
        "npvpg.stages.value_fit.ValueFit",
        "npvpg.collect.FixedHorizon",
        "npvpg.loop.iterate",
        "npvpg.loop.initial_state",
        "npvpg.state.Iteration",
    ),
)
@given(
    scripts(2),
    st.integers(2, 12),
    st.sampled_from(["gae", "reward-to-go"]),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
    SEED,
)
@example(PINNED, 7, "gae", 0.9, 0.8, False, 3)
@example(PINNED, 7, "reward-to-go", 0.9, 0.8, True, 3)
def test_first_update(script, horizon, name, gamma, lam, per_step, seed):
    env, _ = _driver(gym.spaces.Discrete(2), script)
    policy, value = PLAIN, MLPValue(MLP((1, 1)))
    algorithm = flat.vpg(
        policy,
        value,
        named(name, gamma=gamma, lam=lam, n=1),
        FixedHorizon(horizon),
        Linear(1e-6, 0.0),
        Linear(1e-9, 0.0),
        optimizer=SGD(),
        value_steps=1,
        entropy_weight=0.5,
        per_step=per_step,
        reward_scale=0.1,
    )
    start = initial_state(algorithm, n_envs=env.num_envs, seed=seed).learner
    iteration = next(iter(iterate(env, algorithm, seed=seed, n_steps=100)))
    psi, target, obs, act = [], [], [], []
    n_trajectories = 0
    for log in env.log:
        rows = [list(column) for column in zip(*log, strict=True)]
        v = value.at(start.phi, np.array(rows[0])[:, np.newaxis]).values.tolist()
        after = value.at(start.phi, np.array(rows[3])[:, np.newaxis]).values.tolist()
        cut = [*rows[5][:-1], True]
        for part in textbook.segments([0.1 * r for r in rows[2]], v, after, cut, rows[4]):
            n_trajectories += 1
            to_go = textbook.reward_to_go(part[0], part[2], gamma)
            target += to_go
            mixed = textbook.gae(part[0], part[1], part[2], gamma, lam)
            psi += mixed if name == "gae" else to_go
        obs += rows[0]
        act += rows[1]
    x, a = np.array(obs)[:, np.newaxis], np.array(act, dtype=np.int64)
    count = len(x) if per_step else n_trajectories
    grad = np.array(psi) @ policy.at(start.theta, x).score(a) / count
    grad += policy.at(start.theta, x).weighted_entropy_score(np.full(len(x), 0.5 / count))
    size = 1e-6 * float(np.abs(grad).max())
    moved = iteration.state.learner.theta - start.theta
    rounding = UNIT * float(np.abs(start.theta).max())  # of theta itself
    observe(float(np.abs(moved - 1e-6 * grad).max()), 1e-9 * size + rounding)
    error = value.at(start.phi, x).values - np.array(target)
    step = -1e-9 * np.array([error @ x[:, 0], error.sum()]) / len(x)
    got = iteration.state.learner.phi - start.phi
    rounding = UNIT * float(np.abs(start.phi).max())
    observe(float(np.abs(got - step).max()), 1e-6 * float(np.abs(step).max()) + rounding)
    observe(abs(iteration.diagnostics["grad_norm"] / float(np.sqrt(grad @ grad)) - 1), 1e-12)


@claim("E9")
@given(scripts(), st.integers(1, 9), SEED)
@example(PINNED, 1, 3)
@example(PINNED, 5, 3)
def test_finished_episodes_are_remembered(script, horizon, seed):
    env, _ = _driver(gym.spaces.Discrete(2), script)
    policy, value = PLAIN, MLPValue(MLP((1, 1)))
    still = Linear(0.0, 0.0)
    algorithm = flat.vpg(
        policy, value, GAE(0.9, 0.8), FixedHorizon(horizon), still, optimizer=SGD()
    )
    finished = []
    for iteration in iterate(env, algorithm, seed=seed, n_steps=40):
        finished += [(episode.ret, episode.length) for episode in iteration.episodes]
        require(iteration.state.recent.tolist() == [list(pair) for pair in finished])
        # no mean of nothing: None, not NaN
        means = np.mean(finished, axis=0).tolist() if finished else [None, None]
        require([iteration.mean_return, iteration.mean_length] == means)
    rewards = [[row[2] for row in log] for log in env.log]
    returns = []
    for log, rew in zip(env.log, rewards, strict=True):
        at = [0, *(t + 1 for t, row in enumerate(log) if row[5])]
        returns += [sum(rew[a:b]) for a, b in pairwise(at)]
    require(sorted(returns) == sorted(ret for ret, _ in finished))
