"""PPO of rejax on the CartPole of gymnax, compiled by JAX; and JAX's scan for sums over time."""
# ruff: noqa: PLC0415 - what is imported is measured

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from verification.speed.peers.protocol import Call, Judge, repeat, serve

RING = 64  # episodes of a sub-environment that are kept between two looks
BLOCK = 2048  # environment steps between two looks


class Counted(NamedTuple):
    """
    State of an environment, and the episodes that it has finished.

    Attributes
    ----------
    inner : object
        State of the environment of gymnax.
    ret : array
        Return since the episode began.
    now, count : array
        Steps taken, and episodes finished.
    returns, ends : array, shape (64,)
        The last episodes: their returns, and the steps at which they ended.
    """

    inner: Any
    ret: Any
    now: Any
    count: Any
    returns: Any
    ends: Any


def load() -> Mapping[str, Call]:
    """
    Import JAX, gymnax and rejax.

    Returns
    -------
    mapping
        The calls: train, scan.
    """
    import gymnax
    import jax
    import numpy as np
    from jax import numpy as jnp
    from rejax import PPO

    class Counting:
        """An environment of gymnax whose state remembers returns, as rejax keeps no log."""

        def __init__(self, name: str) -> None:
            self.env, self.default_params = gymnax.make(name)
            self.action_space = self.env.action_space
            self.observation_space = self.env.observation_space

        def reset(self, key: Any, params: Any) -> tuple[Any, Counted]:
            obs, inner = self.env.reset(key, params)
            zero, ring = jnp.zeros((), jnp.int32), jnp.zeros(RING)
            return obs, Counted(inner, jnp.zeros(()), zero, zero, ring, ring.astype(jnp.int32))

        def step(self, key: Any, state: Counted, action: Any, params: Any) -> tuple[Any, ...]:
            obs, inner, rew, done, info = self.env.step(key, state.inner, action, params)
            ret, now, at = state.ret + rew, state.now + 1, state.count % RING
            returns = state.returns.at[at].set(jnp.where(done, ret, state.returns[at]))
            ends = state.ends.at[at].set(jnp.where(done, now, state.ends[at]))
            count = state.count + done
            return (
                obs,
                Counted(inner, jnp.where(done, 0, ret), now, count, returns, ends),
                rew,
                (done),
                info,
            )

    def finished(state: Counted, before: Any) -> tuple[list[float], Any]:
        """Returns of the episodes that ended since `before`, in the order of their ends."""
        count = np.asarray(state.count)
        returns, ends = np.asarray(state.returns), np.asarray(state.ends)
        new = [
            (ends[i, k % RING], i, float(returns[i, k % RING]))
            for i in range(len(count))
            for k in range(before[i], count[i])
        ]
        return [ret for _, _, ret in sorted(new)], count

    def train(
        env: str,
        seed: int,
        n_steps: int,
        settings: Mapping[str, Any],
        goal: float | None = None,
        max_seconds: float = 60.0,
    ) -> dict[str, Any]:
        algorithm = PPO.create(env=Counting(env), total_timesteps=n_steps, **settings)
        n_envs, batch = algorithm.num_envs, algorithm.num_envs * algorithm.num_steps

        def block(state: Any) -> Any:
            return jax.lax.fori_loop(
                0, max(BLOCK // batch, 1), lambda _, s: algorithm.train_iteration(s), state
            )

        began = time.perf_counter()
        init = jax.jit(algorithm.init_state).lower(jax.random.PRNGKey(seed)).compile()
        state = init(jax.random.PRNGKey(seed))
        step = jax.jit(block, donate_argnums=0).lower(state).compile()
        setup = time.perf_counter() - began

        judge = Judge(goal, max_seconds)
        steps, before, stopped = 0, np.zeros(n_envs, int), False
        while steps < n_steps and not stopped:
            state = step(state)
            returns, before = finished(state.env_state, before)
            steps += max(BLOCK // batch, 1) * batch
            stopped = judge.stops(steps, returns)
        return judge.result(setup)

    def gae(rew: Any, val: Any, last: Any, gamma: float, lam: float) -> Any:
        def back(carry: Any, at: Any) -> tuple[Any, Any]:
            following, next_val = carry
            following = at[0] + gamma * next_val - at[1] + gamma * lam * following
            return (following, at[1]), following

        return jax.lax.scan(back, (jnp.zeros(()), last), (rew, val), reverse=True)[1]

    def reward_to_go(rew: Any, val: Any, last: Any, gamma: float, lam: float) -> Any:
        def back(following: Any, at: Any) -> tuple[Any, Any]:
            following = at + gamma * following
            return following, following

        return jax.lax.scan(back, last, rew, reverse=True)[1]

    compiled: dict[str, tuple[Any, Any]] = {}

    def scan(name: str, n: int, seconds: float) -> dict[str, Any]:
        if name not in compiled:
            kernel = {"GAE": gae, "reward-to-go": reward_to_go}[name]
            keys = jax.random.split(jax.random.PRNGKey(0), 2)
            given = (jax.random.normal(keys[0], n), jax.random.normal(keys[1], n), jnp.ones(()))
            compiled[name] = jax.jit(lambda a, b, c: kernel(a, b, c, 0.99, 0.95)), given
        run, given = compiled[name]
        k, taken = repeat(lambda: run(*given).block_until_ready(), seconds)
        return {"ns": 1e9 * taken / (k * n)}

    return {"train": train, "scan": scan}


if __name__ == "__main__":
    serve(load, ("rejax", "gymnax", "jax", "jaxlib", "flax", "numpy"))
