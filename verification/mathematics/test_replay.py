"""E10: every episode of a process, replayed through the real pipeline, gives its gradient."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from npvpg.batch import Batch
from npvpg.distributions import Categorical
from npvpg.envs.faults import EnvError
from npvpg.estimators import NAMED, RewardToGo, named
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from npvpg.world.actor import Actor
from npvpg.world.rollout import Position, fixed_horizon, whole_episodes
from npvpg.world.vector import SeededVectorEnv
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, cases, largest, random_laboratory
from verification.mathematics.replaying import FILLER, POISON, Dictated, Replay
from verification.mathematics.strategies import SEED
from verification.oracles import returns as textbook
from verification.oracles.enumeration import trajectories
from verification.oracles.mdp import MDP, random_mdp

N_ENVS = 3


def _padded(lab: Lab) -> tuple[Policy, NDArray[np.float64], NDArray[np.intp]]:
    """Policy that sees three more columns; which of its parameters are those of the lab."""
    n, m = lab.process.n_states, lab.process.n_actions
    policy = Policy(MLP((n + 3, m + 1)), Dictated(Categorical(m)))
    places = np.arange(policy.size).reshape(n + 4, m + 1)  # the last row is the bias
    ours = places[np.r_[:n, n + 3], :m].ravel()
    theta = np.zeros(policy.size)
    theta[ours] = lab.theta
    theta[places[n + 2, m]] = 1.0  # the wanted action, as the observation has it
    return policy, theta, ours


def _vector(lab: Lab, kind: str) -> VectorEnv[Any, Any, Any]:
    """Deal the episodes out to the sub-environments; as many to each, fillers included."""
    process = lab.process
    numbered = list(enumerate(trajectories(process, lab.table(lab.theta))))
    makers = [
        lambda i=i: Replay(
            numbered[i::N_ENVS], process.n_states, process.n_actions, process.horizon
        )
        for i in range(N_ENVS)
    ]
    if kind == "async":
        return AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)


def _gradient(
    lab: Lab, batch: Batch, estimator: Any, policy: Policy, theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Contribution of a batch: weights of the library, each episode by its probability."""
    n = lab.process.n_states
    value = lab.solved.V.copy()
    value[:, n] = POISON

    def look_up(obs: NDArray[Any]) -> NDArray[np.float64]:
        state = np.where(obs[:, :n].any(axis=1), obs[:, :n].argmax(axis=1), n)
        return np.asarray(value[obs[:, n].astype(int), state])

    last_val = np.where(batch.terminated, 0, look_up(batch.last_obs))
    psi = estimator(batch.rew, look_up(batch.obs), last_val, batch.start)
    number = batch.obs[:, n + 1].astype(int)
    chance = np.append(lab.flat.probability, 0.0)[number]  # the filler has number -1
    weight = psi * chance * lab.process.gamma ** batch.obs[:, n] * batch.n_trajectories
    return policy_gradient(policy.at(theta, batch.obs), batch, weight)


def _replayed(lab: Lab, kind: str, n_steps: int | None) -> list[Batch]:
    """Collect every episode: whole (None), or in horizons of so many steps."""
    policy, theta, _ = _padded(lab)
    actor, n_episodes = Actor(policy, theta), -(-lab.batch.n_trajectories // N_ENVS)
    env = _vector(lab, kind)
    try:
        driver, position = SeededVectorEnv(env, 0), Position.initial(N_ENVS)
        if n_steps is None:
            return [
                whole_episodes(driver, actor, position, n_episodes=n_episodes, iteration=0).batch
            ]
        batches: list[Batch] = []
        while len(batches) * n_steps < n_episodes * lab.process.horizon:
            rollout = fixed_horizon(
                driver, actor, position, n_steps=n_steps, iteration=len(batches)
            )
            position = rollout.position
            batches.append(rollout.batch)
        return batches
    except EnvError as error:  # stepped on where an episode had ended
        require(False, str(error))
        raise
    finally:
        env.close()


def _observe_gradient(lab: Lab, batches: list[Batch], names: list[str], told: str) -> None:
    """Hold the sum over all batches to the gradient, by estimators of these names."""
    policy, theta, ours = _padded(lab)
    for batch in batches:  # a trajectory is of one episode, in order
        within = np.ones(batch.n_steps - 1, bool)
        within[batch.start[1:-1] - 1] = False
        moved = np.diff(batch.obs[:, lab.process.n_states :][:, :2], axis=0)[within]
        require(np.array_equal(moved, np.tile([1.0, 0.0], (len(moved), 1))), told)
    for name in names:
        estimator = named(name, gamma=lab.process.gamma, lam=0.6, n=2)
        have = sum(_gradient(lab, batch, estimator, policy, theta)[ours] for batch in batches)
        observe(largest(have - lab.truth), 1e-12 * lab.size, f"{estimator} {told}")


# a weight that sees a cut tail, from no other trajectory than its own
EVERY = [k for k, e in NAMED.items() if not (e.needs_whole_episodes or e.compares_trajectories)]


@pytest.mark.slow
@claim(
    name="E10",
    title="The pipeline, fed with every episode, gives the gradient",
    statement=r"\sum_\tau P(\tau)\,\hat g\bigl(\mathrm{collect}(\tau)\bigr) = \nabla J",
    words="environment, collector, estimator and gradient together give the gradient of J",
    assumptions="a finite process; exact values, with a worth at the horizon",
    source="Spinning Up, part 3; Pardo et al. 2018 for the ends",
    method="a vector environment that replays every enumerated trajectory",
    tolerance=1e-12,
    tolerance_reason="relative to the values; sums of some hundred terms",
    about=(
        "npvpg.world.rollout.whole_episodes",
        "npvpg.world.rollout.fixed_horizon",
        "npvpg.world.vector.SeededVectorEnv",
        "npvpg.gradient.policy_gradient",
        "npvpg.batch.Batch",
    ),
)
@given(cases(n_actions=st.just(2)), st.sampled_from([None, 1, 400]))
@example(Case(), None)
@example(Case(), 1)
@example(Case(), 400)
def test_replay(case, n_steps):
    """Whole episodes (None), and horizons that cut at every step and at none."""
    lab = case.lab
    batches = _replayed(lab, "sync", n_steps)
    _observe_gradient(lab, batches, EVERY, f"{case} {n_steps}")


@claim("E10")
@given(cases(n_actions=st.just(2)), st.integers(2, 12))
@example(Case(), 5)
def test_replay_with_cuts(case, n_steps):
    """A cut that some episodes have and others have not is seen by all but one-step weights."""
    lab = case.lab
    _observe_gradient(lab, _replayed(lab, "sync", n_steps), ["td"], f"{case} {n_steps}")


@claim("E10")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("n_steps", [None, 1, 5, 400])
def test_replay_in_processes(n_steps):
    """Not drawn: each example starts three processes, and the process is that of the above."""
    lab = Case().lab
    batches = _replayed(lab, "async", n_steps)
    ends = {
        (int(time), bool(batch.terminated[k]))
        for batch in batches
        for k, time in enumerate(batch.last_obs[:, lab.process.n_states])
    }
    assert {(1, True), (2, True), (3, True), (3, False)} <= ends
    _observe_gradient(lab, batches, ["td"] if n_steps == 5 else EVERY, f"async {n_steps}")


@claim("E10")
@given(SEED)
@example(0)
def test_returns_of_the_pipeline_are_exact(seed):
    """With whole rewards and gamma 1/2 the returns are those of fractions, bit for bit."""
    rng = np.random.default_rng([69, seed])
    process: MDP = random_mdp(rng, 2, 2, 3, 0.5, integer_rewards=True)
    drawn = random_laboratory(rng, 2, 2, 3, 0.5)
    lab = Lab(process, drawn.policy, drawn.theta, drawn.flat, drawn.batch, drawn.solved)
    policy, theta, _ = _padded(lab)
    episodes = list(trajectories(process, lab.table(lab.theta)))
    driver = SeededVectorEnv(_vector(lab, "sync"), 0)
    batch = whole_episodes(
        driver,
        Actor(policy, theta),
        Position.initial(N_ENVS),
        n_episodes=-(-len(episodes) // N_ENVS),
        iteration=0,
    ).batch
    got = RewardToGo(0.5)(batch.rew, 0 * batch.rew, np.zeros(batch.n_trajectories), batch.start)
    seen = set()
    for k in range(batch.n_trajectories):
        span = slice(batch.start[k], batch.start[k + 1])
        number = int(batch.obs[batch.start[k], 3])
        if number == FILLER:
            continue
        seen.add(number)
        rewards = [Fraction(r) for r in episodes[number].rewards]
        want = [float(x) for x in textbook.reward_to_go(rewards, 0, Fraction(1, 2))]
        require(got[span].tolist() == want, f"{seed=} {number=}")
        require(batch.act[span].tolist() == list(episodes[number].actions))
    require(seen == set(range(len(episodes))), "every episode was played")
