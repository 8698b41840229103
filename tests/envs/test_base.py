import gymnasium
import numpy as np
import pytest
from gymnasium.error import Error, ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space

from npvpg.envs import COMPILED
from npvpg.envs.cartpole import CartPoleVectorEnv
from npvpg.envs.pendulum import PendulumVectorEnv


def cartpole(n: int = 3, **options: object) -> CartPoleVectorEnv:
    return CartPoleVectorEnv(n, **options)  # type: ignore[arg-type]


def original(n: int = 3) -> SyncVectorEnv:
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
    envs = gymnasium.make_vec("CartPole-v1", n, "sync", kwargs)
    assert isinstance(envs, SyncVectorEnv)
    return envs


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_spaces_and_outputs(name: str) -> None:
    envs = gymnasium.make_vec(f"npvpg/{name}", num_envs=5)
    single = gymnasium.make(name)
    assert envs.single_observation_space == single.observation_space
    assert envs.single_action_space == single.action_space
    assert envs.observation_space == batch_space(single.observation_space, 5)
    assert envs.action_space == batch_space(single.action_space, 5)
    obs, info = envs.reset(seed=0)
    assert envs.observation_space.contains(obs)
    assert info == {}
    obs, rew, terminated, truncated, info = envs.step(envs.action_space.sample())
    assert envs.observation_space.contains(obs)
    assert (rew.shape, rew.dtype) == ((5,), np.float64)
    for flag in (terminated, truncated):
        assert (flag.shape, flag.dtype) == ((5,), np.bool_)
    assert info == {}
    envs.close()


@pytest.mark.parametrize("mode", AutoresetMode)
def test_the_mode_is_told(mode: AutoresetMode) -> None:
    for given in (mode, mode.value):
        envs = cartpole(autoreset_mode=given)
        assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is mode
    assert cartpole().autoreset_mode is AutoresetMode.DISABLED
    with pytest.raises(ValueError, match="'Never' is not a valid AutoresetMode"):
        cartpole(autoreset_mode="Never")


@pytest.mark.parametrize("limit", [0, -2])
def test_time_limit_must_be_positive(limit: int) -> None:
    with pytest.raises(ValueError, match=f"max_episode_steps must be at least 1, got {limit}"):
        cartpole(max_episode_steps=limit)


def test_number_of_environments_must_be_positive() -> None:
    with pytest.raises(ValueError, match="num_envs must be at least 1, got 0"):
        cartpole(0)


def test_no_time_limit() -> None:
    envs = PendulumVectorEnv(2, max_episode_steps=-1)
    envs.reset(seed=0)
    for _ in range(300):
        assert not envs.step(np.zeros((2, 1)))[3].any()


BAD_MASKS = [
    [True, False, False],
    np.array([1, 0, 0]),
    np.ones(4, dtype=np.bool_),
    np.ones((3, 1), dtype=np.bool_),
    np.zeros(3, dtype=np.bool_),
]


@pytest.mark.parametrize("mask", BAD_MASKS, ids=["list", "int", "long", "column", "empty"])
def test_bad_masks_raise_as_in_gymnasium(mask: object) -> None:
    raised = []
    for envs in (cartpole(), original()):
        envs.reset(seed=1)
        with pytest.raises((TypeError, ValueError)) as caught:
            envs.reset(options={"reset_mask": mask})
        raised.append(caught.type)
    assert raised[0] is raised[1]


BAD_SEEDS = [[1, 2], [1, 2, 3, 4], [1, -2, 3], [1, 2.0, 3], [1, np.int64(2), 3], -1]


@pytest.mark.parametrize("seed", BAD_SEEDS, ids=str)
def test_bad_seeds_raise_as_in_gymnasium(seed: object) -> None:
    raised = []
    for envs in (cartpole(), original()):
        envs.reset(seed=1)
        with pytest.raises((Error, ValueError)) as caught:
            envs.reset(seed=seed)  # type: ignore[arg-type]
        raised.append(caught.type)
    assert raised[0] is raised[1]


def test_a_bad_seed_changes_nothing() -> None:
    envs = cartpole()
    envs.reset(seed=1)
    before = envs.get_state()
    with pytest.raises(Error, match="greater or equal to zero"):
        envs.reset(seed=[5, 6, -1])
    after = envs.get_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_bad_seed_that_is_masked_out_is_not_looked_at() -> None:
    mask = np.array([True, False, True])
    for envs in (cartpole(), original()):
        envs.reset(seed=1)
        envs.reset(seed=[5, -1, 6], options={"reset_mask": mask})


def test_bad_bounds_raise_as_in_gymnasium() -> None:
    for options in ({"low": 1.0, "high": 0.0}, {"low": "x"}):
        for envs in (cartpole(), original()):
            with pytest.raises(ValueError, match=r"Lower bound|could not be converted"):
                envs.reset(seed=1, options=dict(options))


def test_seeds_as_an_array() -> None:
    envs = cartpole()
    listed, _ = envs.reset(seed=[7, 2**63, 9])
    packed, _ = envs.reset(seed=np.array([7, 2**63, 9], dtype=np.uint64))
    assert np.array_equal(listed, packed)
    with pytest.raises(ValueError, match="an array of seeds must be uint64, got int64"):
        envs.reset(seed=np.array([1, 2, 3]))


def test_none_leaves_a_generator_where_it_is() -> None:
    envs = cartpole()
    first, _ = envs.reset(seed=[1, 2, 3])
    mixed, _ = envs.reset(seed=[1, None, 3])
    assert np.array_equal(mixed[[0, 2]], first[[0, 2]])
    assert not np.array_equal(mixed[1], first[1])


def test_without_a_seed_every_environment_starts_elsewhere() -> None:
    one, other = cartpole(4), cartpole(4)
    starts = np.concatenate([one.reset()[0], other.reset()[0], one.reset()[0]])
    assert len(np.unique(starts, axis=0)) == 12


def test_unseeded_after_part_was_seeded() -> None:
    envs = cartpole()
    mask = np.array([True, False, False])
    envs.reset(seed=3, options={"reset_mask": mask})
    obs, _ = envs.reset()
    assert len(np.unique(obs, axis=0)) == 3
    expected, _ = cartpole().reset(seed=3)
    assert not np.array_equal(obs[0], expected[0])


def test_the_options_are_left_as_they_were() -> None:
    envs = cartpole()
    envs.reset(seed=1)
    options = {"reset_mask": np.array([True, False, False])}
    envs.reset(options=options)
    assert "reset_mask" in options


def test_rows_that_are_not_reset_stay() -> None:
    envs = cartpole()
    envs.reset(seed=1)
    obs = envs.step([0, 1, 0])[0]
    again, _ = envs.reset(options={"reset_mask": np.array([False, True, False])})
    assert np.array_equal(again[[0, 2]], obs[[0, 2]])
    assert not np.array_equal(again[1], obs[1])
    assert envs.get_state()["steps"].tolist() == [1, 0, 1]


def test_a_step_before_the_first_reset() -> None:
    envs = cartpole()
    with pytest.raises(ResetNeeded, match="sub-environment 0 was never reset"):
        envs.step([0, 0, 0])
    envs.reset(seed=0, options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(ResetNeeded, match="sub-environment 1 was never reset"):
        envs.step([0, 0, 0])


def test_a_step_after_the_end() -> None:
    envs = cartpole(max_episode_steps=2)
    envs.reset(seed=0)
    envs.step([0, 1, 0])
    envs.step([0, 1, 0])
    before = envs.get_state()
    mask = np.array([False, True, False])
    for over in ("[0, 1, 2]", "[0, 2]"):
        with pytest.raises(AssertionError, match="episodes of sub-environments") as caught:
            envs.step([0, 1, 0])
        assert over in str(caught.value)
        if over == "[0, 1, 2]":
            assert np.array_equal(before["state"], envs.get_state()["state"])
            envs.reset(options={"reset_mask": mask})
    envs.reset(options={"reset_mask": ~mask})
    envs.step([0, 1, 0])


@pytest.mark.parametrize("action", [-1, 2])
def test_an_action_that_does_not_exist(action: int) -> None:
    envs = cartpole()
    envs.reset(seed=0)
    before = envs.get_state()
    with pytest.raises(ValueError, match=f"got {action} for sub-environment 2"):
        envs.step([0, 1, action])
    assert np.array_equal(before["state"], envs.get_state()["state"])


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0, 1], r"actions must have shape \(3,\), got \(2,\)"),
        ([[0], [1], [1]], r"actions must have shape \(3,\), got \(3, 1\)"),
        (1, r"actions must have shape \(3,\), got \(\)"),
        ([0.0, 1.0, 1.0], "actions must be integers, got float64"),
    ],
)
def test_actions_of_the_wrong_shape_or_type(actions: object, message: str) -> None:
    envs = cartpole()
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        envs.step(actions)  # type: ignore[arg-type]


def test_box_actions_of_the_wrong_shape_or_type() -> None:
    envs = PendulumVectorEnv(3)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must have shape \(3, 1\), got \(3,\)"):
        envs.step(np.zeros(3))
    with pytest.raises(ValueError, match="actions must be numbers, got complex128"):
        envs.step(np.zeros((3, 1), dtype=complex))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, ">i8"])
def test_other_integers_are_taken(dtype: str) -> None:
    have, want = cartpole(), cartpole()
    for envs in (have, want):
        envs.reset(seed=0)
    act = np.array([0, 1, 1])
    assert np.array_equal(have.step(act.astype(dtype))[0], want.step(act)[0])


def test_other_layouts_are_taken() -> None:
    act = np.linspace(-2, 2, 6).reshape(6, 1)
    frozen = act.copy()
    frozen.flags.writeable = False
    wide = np.zeros((6, 3))
    wide[:, 1:2] = act
    results = []
    for form in (act, frozen, wide[:, 1:2], act.tolist(), np.asfortranarray(act)):
        envs = PendulumVectorEnv(6)
        envs.reset(seed=0)
        results.append(envs.step(form)[0])
    assert all(np.array_equal(results[0], result) for result in results)


def test_the_precision_of_an_action_is_kept() -> None:
    single, double = PendulumVectorEnv(1), PendulumVectorEnv(1)
    for envs in (single, double):
        envs.reset(seed=0)
    act = np.array([[1 / 3]])
    assert single.step(act.astype(np.float32))[1] != double.step(act)[1]
