import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from npvpg.command.parser import read
from npvpg.command.train import Train
from npvpg.runs import config_file
from npvpg.runs.config import FIELDS, Config

unit = st.floats(0, 1)
positive = st.floats(0, exclude_min=True, allow_infinity=False)
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), min_size=1, max_size=20
)
names = texts.filter(lambda text: text.isidentifier())
configs = st.builds(
    Config,
    env=texts,
    seed=st.integers(0, 2**80),
    gamma=unit,
    lam=unit,
    hidden=st.lists(st.integers(1, 1000), max_size=3).map(tuple),
    policy_lr=positive,
    value_lr=positive,
    standardize=st.booleans(),
    env_arg=st.dictionaries(
        names,
        st.recursive(
            st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans() | texts,
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
            max_leaves=4,
        ),
        max_size=3,
    ),
)


@given(configs)
def test_what_is_written_reads_back_to_the_last_bit(config: Config) -> None:
    values = config_file.typed(tomllib.loads(config_file.dumps(config)))
    assert config_file.complete(values, "text") == config
    assert tuple(values) == FIELDS


def test_every_preset_is_a_valid_configuration() -> None:
    presets = sorted(path.stem for path in config_file.PRESETS.glob("*.toml"))
    assert "CartPole-v1" in presets
    for env in presets:
        assert Config(env, **config_file.preset(env)) != Config(env)


@pytest.mark.parametrize("env", ["Pusher-v5", "../presets/CartPole-v1", "", "*"])
def test_an_environment_without_preset_has_the_general_defaults(env: str) -> None:
    assert config_file.preset(env) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gama = 0.9", "unknown key 'gama' (did you mean gamma or sigma?)"),
        ("gamma = '0.9'", "gamma must be of type float, got '0.9'"),
        ("gamma = true", "gamma must be of type float, got True"),
        ("steps = 1.5", "steps must be of type int, got 1.5"),
        ("steps = true", "steps must be of type int, got True"),
        ("hidden = 64", "hidden must be a list of integers, got 64"),
        ("hidden = [64, 0.5]", "hidden must be a list of integers, got [64, 0.5]"),
        ("env_arg = 1", "env_arg must be a table, got 1"),
        ("standardize = 1", "standardize must be of type bool, got 1"),
        ("estimator = 1", "estimator must be of type str, got 1"),
    ],
)
def test_a_wrong_key_or_type_is_named_with_its_file(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"a\.toml") as caught:
        config_file.read(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\x00")
    with pytest.raises(ValueError, match="no TOML file that can be read"):
        config_file.read(path)
    path.write_text("gamma == 1")
    with pytest.raises(ValueError, match="no TOML file that can be read"):
        config_file.read(path)
    with pytest.raises(ValueError, match="does not exist"):
        config_file.read(tmp_path / "b.toml")


def test_integers_may_stand_for_floats(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("gamma = 1")
    assert repr(config_file.read(path)) == "{'gamma': 1.0}"


def test_a_complete_configuration_names_what_is_missing_or_wrong() -> None:
    values = dataclasses.asdict(Config("CartPole-v1"))
    with pytest.raises(ValueError, match=r"^here: gamma must lie in \[0, 1\], got 2"):
        config_file.complete(values | {"gamma": 2.0}, "here")
    del values["seed"], values["lam"]
    with pytest.raises(ValueError, match="here must give every field, seed, lam missing"):
        config_file.complete(values, "here")


def test_a_whole_number_may_be_written_with_an_exponent(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("steps = 1e6\nenvs = 4.0")
    assert repr(config_file.read(path)) == "{'steps': 1000000, 'envs': 4}"


def test_a_mark_of_byte_order_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfgamma = 0.5\n")
    assert config_file.read(path) == {"gamma": 0.5}


def test_a_run_written_before_a_field_was_there_goes_on_as_it_began() -> None:
    values = dataclasses.asdict(Config("CartPole-v1"))
    del values["env_arg"]
    assert config_file.complete(values, "here") == Config("CartPole-v1")


@pytest.mark.parametrize("env", ["CartPole-v1", "Pusher-v5"])
@pytest.mark.parametrize("algorithm", [None, "baseline"])
def test_a_script_and_the_command_mean_the_same_run(env: str, algorithm: Any) -> None:
    flags = ["--algorithm", algorithm] if algorithm else []
    command = Train.of(read(Train, [env, *flags, "--gamma", "0.5", "--hidden", "3"])).settings
    assert config_file.configure(env, algorithm, gamma=0.5, hidden=[3]) == command


def test_a_change_of_a_preset_is_checked() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'gama' .did you mean gamma"):
        config_file.configure("CartPole-v1", gama=1)
    with pytest.raises(ValueError, match=r"steps must be of type int, got 1\.5"):
        config_file.configure("CartPole-v1", steps=1.5)
