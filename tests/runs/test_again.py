"""The command that a report gives makes the very configuration again."""

import dataclasses
import shlex
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from npvpg.command.parser import read
from npvpg.command.train import Train
from npvpg.runs.again import command
from npvpg.runs.config import Config
from npvpg.runs.config_file import configure

WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUE = st.one_of(st.integers(-9, 9), st.booleans(), st.text("ab \"'=-1", max_size=6))


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:
    """Draw values of a field, most of which a run can have."""
    if name == "init_from":
        return st.sampled_from(["", "/runs/a b"])
    if name == "wrapper":
        return st.lists(st.sampled_from(["a:B", "c.d:E"]), max_size=2).map(tuple)
    if get_origin(kind) is tuple:
        return st.lists(st.integers(1, 64), max_size=3).map(tuple)
    if name == "env_arg":
        return st.dictionaries(WORD, VALUE, max_size=2)
    if get_args(kind):
        return st.sampled_from(get_args(kind))
    drawn: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(1, 10**7),
        float: st.floats(1e-9, 0.999),
    }
    return drawn[kind]


FIELDS = {
    name: _values(name, kind)
    for name, kind in get_type_hints(Config).items()
    if name not in ("groups", "env", "seed")
}


@given(
    st.sampled_from(["CartPole-v1", "Pendulum-v1", "Nowhere-v0"]),
    st.fixed_dictionaries({}, optional=FIELDS),
    st.integers(0, 99),
)
def test_it_is_read_as_the_configuration_it_was_written_from(
    env: str, changes: dict[str, Any], seed: int
) -> None:
    try:
        config = configure(env, seed=seed, **changes)
    except ValueError:  # together they are no run
        return
    words = shlex.split(shlex.join(command(config, (seed,))))
    assert words[:2] == ["npvpg", "train"]
    assert Train.of(read(Train, words[2:])).settings == config
    several = read(Train, command(config, (3, 4, 5, 9))[2:])
    assert several["seeds"] == "3-5,9"
    again = Train.of(several).settings
    assert again == dataclasses.replace(config, seed=again.seed)
