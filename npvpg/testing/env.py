"""The claims about a compiled environment, for physics of one's own."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete
from numba.extending import is_jitted
from numpy.typing import NDArray

from npvpg.envs.base import CompiledVectorEnv
from npvpg.envs.custom import CompiledEnv
from npvpg.envs.generators import Generators
from npvpg.kernels.pcg64 import next_double
from npvpg.testing.search import need, search
from npvpg.testing.theorem import Ledger, Margin, Theorem

SEEDS = Theorem("seeds", "the same seeds and actions give the same bits")
ALONE = Theorem("independence", "a sub-environment does what it would do alone")
COPIES = Theorem("copies", "what is returned belongs to the caller: the next step leaves it alone")
SPACES = Theorem("spaces", "observations lie in their space, and rewards are finite")
ENDS = Theorem("ends", "a sub-environment that ended is refused a step until it is reset")
LIMIT = Theorem("time limit", "an episode is truncated at its time limit, and only there")
PLAIN = Theorem("plain", "the compiled functions give the bits of the plain Python ones")
STATE = Theorem("state", "set_state goes back to where get_state was called")

Array = NDArray[Any]
Make = Callable[..., CompiledVectorEnv]


class _Tape(NamedTuple):
    """What an environment showed: a row a step, and a row a reset."""

    obs: Array
    rew: Array
    ends: Array
    starts: Array


class _Drawn(NamedTuple):
    """Sub-environments, the seed of everything, and steps."""

    n_envs: int
    n_steps: int
    seed: int

    @property
    def told(self) -> dict[str, Any]:
        return self._asdict()

    def seeds(self) -> list[int]:
        return [self.seed + 1000 * i for i in range(self.n_envs)]


def check_env(
    compiled_env: CompiledEnv | Make, *, n_steps: int = 30, max_examples: int = 20
) -> dict[Theorem, Margin]:
    """
    Hold a compiled environment to what the library claims of its own.

    Parameters
    ----------
    compiled_env : CompiledEnv or callable
        Description of the environment, or a class of vector environments: called with a number of
        sub-environments, and with ``max_episode_steps``, it makes them.
    n_steps : int
        Steps of the longest episodes that are tried.
    max_examples : int
        Numbers of sub-environments, seeds and steps that are tried.

    Returns
    -------
    dict of Theorem to Margin
        How close each came to failing.

    Raises
    ------
    TheoremError
        Of the first theorem that breaks, with the fewest steps found.
    ImportError
        If hypothesis is missing.

    Notes
    -----
    Actions are drawn from the action space. The plain functions are known of a `CompiledEnv` only:
    Python refuses an index out of bounds, which compiled code reads without a word. Functions of
    `math` have the same bits in both; some of `numpy` have not.

    Examples
    --------
    >>> from npvpg.envs.cartpole import CartPoleVectorEnv
    >>> margins = check_env(CartPoleVectorEnv, max_examples=3)
    >>> max(margin.ratio for margin in margins.values())
    0.0
    """
    st = need("hypothesis.strategies")
    name = getattr(compiled_env, "__name__", type(compiled_env).__name__)
    if isinstance(compiled_env, CompiledEnv):
        step = compiled_env.step
        name = f"CompiledEnv({getattr(step, '__qualname__', step)})"
    ledger = Ledger(name)
    drawn = st.builds(_Drawn, st.integers(1, 3), st.integers(1, n_steps), st.integers(0, 99))
    for holds in (_plain, _form, _limit, _repeats, _state):
        search(drawn, partial(holds, ledger, compiled_env), max_examples)
    return ledger.margins


def _actions(env: CompiledVectorEnv, drawn: _Drawn) -> Array:
    """Actions of every step, (T, N) or (T, N, D), each sub-environment's from its own seed."""
    space = env.single_action_space
    columns: list[Array] = []
    for seed in drawn.seeds():
        rng = np.random.default_rng(seed)
        if isinstance(space, Discrete):
            columns.append(rng.integers(space.start, space.start + space.n, drawn.n_steps))
        else:
            low = np.where(np.isfinite(space.low), space.low, -3)
            high = np.where(np.isfinite(space.high), space.high, 3)
            columns.append(rng.uniform(low, high, (drawn.n_steps, *space.shape)))
    return np.stack(columns, axis=1)


def _play(env: CompiledVectorEnv, act: Array, seeds: list[int] | None) -> _Tape:
    """Play actions, and reset what ended; without seeds go on from where it is."""
    starts = [] if seeds is None else [env.reset(seed=seeds)[0].copy()]
    shown, earned, ended = [], [], []
    over = env.get_state()["steps"] < 0
    for now in act:
        if over.any():
            starts.append(env.reset(options={"reset_mask": over})[0].copy())
        obs, rew, terminated, truncated, _ = env.step(now)
        over = terminated | truncated
        shown.append(obs.copy())
        earned.append(rew.copy())
        ended.append(np.stack([terminated, truncated]))
    return _Tape(*map(np.array, (shown, earned, ended, starts)))


def _form(ledger: Ledger, make: Make, drawn: _Drawn) -> None:
    """What is shown is a copy and lies in its space; what ended takes no step."""
    env, told = make(drawn.n_envs), drawn.told
    space = env.single_observation_space
    obs, _ = env.reset(seed=drawn.seeds())
    kept = [(obs, obs.copy())]
    for t, act in enumerate(_actions(env, drawn)):
        obs, rew, terminated, truncated, _ = env.step(act)
        told["step"] = t
        for array, copy in kept:
            ledger.require(COPIES, array.tobytes() == copy.tobytes(), **told)
        kept = [(x, x.copy()) for x in (obs, rew, terminated, truncated)]
        for i in range(drawn.n_envs):
            ledger.require(SPACES, space.contains(obs[i]), **told, obs=obs[i], space=space)
        finite = bool(np.isfinite(obs).all() and np.isfinite(rew).all())
        ledger.require(SPACES, finite, **told, obs=obs, reward=rew)
        over = terminated | truncated
        if over.any():
            ledger.require(ENDS, _refuses(env, act), **told, ended=over)
            after, _ = env.reset(options={"reset_mask": over})
            same = np.array_equal(after[~over], obs[~over], equal_nan=True)
            ledger.require(ENDS, same, **told, reset=over, before=obs, after=after)


def _refuses(env: CompiledVectorEnv, act: Array) -> bool:
    try:
        env.step(act)
    except AssertionError:
        return True
    return False


def _limit(ledger: Ledger, make: Make, drawn: _Drawn) -> None:
    """Truncated just at the limit of 1 step, of 3, and never."""
    for limit in (1, 3, -1):
        env = make(drawn.n_envs, max_episode_steps=limit)
        tape = _play(env, _actions(env, drawn), drawn.seeds())
        age = np.zeros(drawn.n_envs, int)
        for t, (terminated, truncated) in enumerate(tape.ends):
            age += 1
            good = np.array_equal(truncated, age == limit)
            told = {**drawn.told, "max_episode_steps": limit, "step": t, "age": age.copy()}
            ledger.require(LIMIT, good, **told, truncated=truncated)
            age[terminated | truncated] = 0


def _repeats(ledger: Ledger, make: Make, drawn: _Drawn) -> None:
    """The same again, and each sub-environment alone."""
    env = make(drawn.n_envs, max_episode_steps=5)
    act, seeds = _actions(env, drawn), drawn.seeds()
    tape = _play(env, act, seeds)
    for again in (env, make(drawn.n_envs, max_episode_steps=5)):
        ledger.require(SEEDS, _same(tape, _play(again, act, seeds)), **drawn.told)
    for i in range(drawn.n_envs):
        alone = _play(make(1, max_episode_steps=5), act[:, i : i + 1], seeds[i : i + 1])
        mine = _Tape(tape.obs[:, i], tape.rew[:, i], tape.ends[:, :, i], alone.starts)
        single = _Tape(alone.obs[:, 0], alone.rew[:, 0], alone.ends[:, :, 0], alone.starts)
        ledger.require(ALONE, _same(mine, single), **drawn.told, sub_environment=i)


def _state(ledger: Ledger, make: Make, drawn: _Drawn) -> None:
    """Going back gives the same again, in the same environment and in a new one."""
    env = make(drawn.n_envs, max_episode_steps=5)
    act = _actions(env, drawn)
    _play(env, act, drawn.seeds())
    kept = env.get_state()
    tape = _play(env, act, None)
    other = make(drawn.n_envs, max_episode_steps=5)
    for again in (env, other):
        again.set_state(kept)
        ledger.require(STATE, _same(tape, _play(again, act, None)), **drawn.told)


def _same(one: _Tape, other: _Tape) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def _plain(ledger: Ledger, make: Make, drawn: _Drawn) -> None:
    """The user's two functions as Python runs them, on the same noise."""
    if not isinstance(make, CompiledEnv):
        return
    reset, step = (f.py_func if is_jitted(f) else f for f in (make.reset, make.step))
    env = make(1, max_episode_steps=-1)
    one = drawn._replace(n_envs=1)
    generators, row = Generators(1), np.arange(1)
    generators.seed(one.seeds(), row)
    noise = generators.uniform(np.zeros(make.n_reset_noise), np.ones(make.n_reset_noise), row)
    state, obs = np.zeros(make.state_size), np.zeros_like(env.observations[0])
    shown, _ = env.reset(seed=one.seeds())
    reset(noise[0], state, obs)
    good = obs.tobytes() == shown[0].tobytes()
    ledger.require(PLAIN, good, **one.told, plain=obs, compiled=shown[0])
    for t, act in enumerate(_actions(env, one)):
        rng = env.get_state()["rng"][0]
        extra = [np.array([next_double(rng) for _ in range(make.n_step_noise)])]
        told = {**one.told, "step": t}
        try:
            reward, ended = step(state, act[0], obs, *extra[: make.n_step_noise])
        except IndexError as error:
            ledger.require(PLAIN, False, **told, raised=error)
        shown, rew, terminated, _, _ = env.step(act)
        plain, compiled = (obs, reward, ended), (shown[0], rew[0], terminated[0])
        bits = [np.asarray(x, y.dtype).tobytes() for x, y in zip(plain, compiled, strict=True)]
        good = bits == [y.tobytes() for y in compiled]
        ledger.require(PLAIN, good, **told, plain=plain, compiled=compiled)
        if ended:
            break
