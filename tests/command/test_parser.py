import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import hypothesis.strategies as st
import pytest
from hypothesis import given
from typing_extensions import override

from npvpg.command import help as texts
from npvpg.command.house import Completion, Doctor, List
from npvpg.command.names import COMMANDS
from npvpg.command.parser import Command, Field, fields_of, read
from npvpg.command.play import Evaluate, Export, Plot, Report, Watch
from npvpg.command.several import Ablation, Sweep
from npvpg.command.studies import Analytic, Exact, Explain, Groups, RandomWalk, Variance
from npvpg.command.train import Train
from npvpg.runs.config import Config

EVERY: list[type[Command]] = [
    Train,
    Evaluate,
    Watch,
    Export,
    Plot,
    Report,
    Sweep,
    Ablation,
    Explain,
    Exact,
    Groups,
    Variance,
    RandomWalk,
    Analytic,
    List,
    Doctor,
    Completion,
]


@dataclass(frozen=True)
class Try(Command):
    """Try something."""

    name: ClassVar[str] = "try"

    env: Annotated[str, "ENV"]
    """What to try."""

    gamma: float = 0.9
    """A number."""

    steps: Annotated[int, "STEPS"] = 10
    """Several."""

    policy_lr: float = 1.0
    hidden: tuple[int, ...] = (64, 64)
    wrapper: tuple[str, ...] = ()
    standardize: bool = True
    estimator: Literal["gae", "td"] = "gae"
    limit: Annotated[int | None, "N"] = None
    out: Path | None = None
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @override
    def carry_out(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("A --gamma 0.5", {"env": "A", "gamma": 0.5}),
        ("--gamma=0.5 A", {"env": "A", "gamma": 0.5}),
        ("--hidden 8 16 A", {"env": "A", "hidden": (8, 16)}),
        ("--hidden A", {"env": "A", "hidden": ()}),
        ("--hidden=8 A", {"env": "A", "hidden": (8,)}),
        ("--hidden=8 16", {"hidden": (8, 16)}),
        ("--standardize A", {"env": "A", "standardize": True}),
        ("A --no-standardize", {"env": "A", "standardize": False}),
        ("A --policy_lr -1e-3", {"env": "A", "policy_lr": -1e-3}),
        ("--steps 1e6", {"steps": 1_000_000}),
        ("--steps 10_000", {"steps": 10_000}),
        ("--steps 3 --steps 4", {"steps": 4}),
        ("--limit 3 --out a/b", {"limit": 3, "out": Path("a/b")}),
        ("--out=--b", {"out": Path("--b")}),
        ("--env A", {"env": "A"}),
        ("--env=A", {"env": "A"}),
        ("-5", {"env": "-5"}),
        ("--extra a=1 --extra b=x --extra=c=[1,2]", {"extra": {"a": 1, "b": "x", "c": [1, 2]}}),
        ("--extra a=true --extra a=0.5", {"extra": {"a": 0.5}}),
        ("--wrapper a:B --wrapper=c:D A", {"env": "A", "wrapper": ("a:B", "c:D")}),
        ("--extra a=2=3", {"extra": {"a": "2=3"}}),
        ("-h A --help", {"env": "A"}),
        ("", {}),
    ],
)
def test_flags_take_their_values_and_leave_the_rest(line: str, values: dict[str, Any]) -> None:
    found = read(Try, line.split())
    assert found == values
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in values.items()
    } | ({"out": type(Path())} if "out" in values else {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--gama 1", "unknown flag --gama (did you mean --gamma?)"),
        ("-g 1", "unknown flag -g"),
        ("--no-gamma", "unknown flag --no-gamma (did you mean --gamma?)"),
        ("--gamma", "--gamma needs a value"),
        ("--gamma=", "--gamma needs a value"),
        ("--gamma --steps 3", "--gamma needs a value"),
        ("--out --steps 3", "--out needs a value"),
        ("--gamma abc", "--gamma must be a number, got 'abc'"),
        ("--steps 1.5", "--steps must be an integer, got '1.5'"),
        ("--steps inf", "--steps must be an integer, got 'inf'"),
        ("--hidden 8 3.5", "--hidden must be an integer, got '3.5'"),
        ("--hidden=", "--hidden needs a value"),
        ("--extra a", "--extra must be NAME=VALUE, got 'a'"),
        ("--extra 1=2", "--extra must be NAME=VALUE, got '1=2'"),
        ("--estimator GAE", "--estimator must be one of gae, td, got 'GAE' (did you mean gae?)"),
        ("A B", "try takes one ENV, got A and B"),
        (
            "--standardize=1",
            "--standardize takes no value; --no-standardize is its opposite, got --standardize=1",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^-|^unknown|^try") as caught:
        read(Try, line.split())
    assert str(caught.value) == message


def _written(field: Field) -> st.SearchStrategy[list[str]]:
    """Draw words that a shell may hand over for a value of a field."""
    kind = field.kind
    if get_origin(kind) is tuple:
        return st.lists(st.integers(0, 999).map(str), min_size=1, max_size=3)
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind)).map(lambda text: [text])
    if get_origin(kind) is Mapping:
        return st.integers().map(lambda n: [f"key={n}"])
    drawn: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers() | st.sampled_from(["1e6", "2e3", "1_000"]),
        float: st.floats(allow_nan=False),
        str: st.text(min_size=1).filter(lambda text: not text.startswith("-")),
        Path: st.text(min_size=1).filter(lambda text: not text.startswith("-")),
    }
    return drawn[kind].map(lambda value: [str(value)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in EVERY for name in fields_of(kind)]
)
@given(data=st.data())
def test_a_flag_with_an_equals_sign_is_a_flag_with_a_space(
    kind: type[Command], name: str, data: st.DataObject
) -> None:
    field = fields_of(kind)[name]
    if field.kind is bool:
        assert read(kind, [field.flag]) == {name: True}
        assert read(kind, [f"--no-{field.flag[2:]}"]) == {name: False}
        return
    words = data.draw(_written(field))
    if field.is_word or str in get_args(field.kind):  # texts come one a flag
        words = words[:1]
    if words[0].startswith("--"):
        return
    found = read(kind, [field.flag, *words])
    assert read(kind, [f"{field.flag}={words[0]}", *words[1:]]) == found
    assert read(kind, [f"--{name}", *words]) == found  # underscores stand for dashes
    assert list(found) == [name]


SETTINGS: dict[str, list[str]] = {
    "env": ["Acrobot-v1"],
    "seed": ["7"],
    "steps": ["1e6"],
    "hidden": ["3", "5"],
    "gamma": ["0.123456789012345678"],
    "lam": ["1"],
}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Config)])
def test_every_field_of_a_configuration_is_set_by_its_flag_and_by_no_other(name: str) -> None:
    field = fields_of(Train)[name]
    beside = ["--episodes", "2"] if name == "group_baseline" else []  # one is no group
    base = Train.of(read(Train, ["CartPole-v1", *beside])).settings
    before = getattr(base, name)
    if field.kind is bool:
        lines = [[f"--no-{field.flag[2:]}" if before else field.flag]]
    else:
        choices = [choice for choice in get_args(field.kind) if choice != before]
        words = SETTINGS.get(name, ["0.5" if field.kind is float else "23"])
        if get_origin(field.kind) is Literal:
            words = [str(choices[0])]
        if get_origin(field.kind) is Mapping:
            words = ["length=3"]
        lines = [[field.flag, *words], [f"{field.flag}={words[0]}", *words[1:]]]
    plain = [] if name == "env" else ["CartPole-v1", *beside]
    first, *others = [Train.of(read(Train, [*line, *plain])).settings for line in lines]
    assert all(other == first for other in others)
    if name != "env":  # another environment has another preset
        changed = [f for f in Config.__dataclass_fields__ if getattr(first, f) != getattr(base, f)]
        assert changed == [name]
    assert getattr(first, name) != before


class TestHelp:
    def test_it_holds_every_flag_once_with_text_unit_and_default(self) -> None:
        out = texts.text(Try, {})
        assert out.startswith(
            "usage: npvpg try ENV [--FLAG VALUE ...]\n\nTry something.\n\nflags\n"
        )
        assert "  ENV                       What to try.\n" in out
        assert "  --gamma X                 A number. (default: 0.9)\n" in out
        assert "  --steps STEPS             Several. (default: 10)\n" in out
        assert re.search(r"--\[no-\]standardize +\(default: on\)", out)
        assert "--estimator gae|td" in out
        assert "--extra NAME=VALUE" in out
        assert "--traceback" in out

    def test_what_lies_below_the_flags_is_the_default_shown(self) -> None:
        assert "(default: 0.5)" in texts.text(Try, {"gamma": 0.5})

    @pytest.mark.parametrize("kind", EVERY)
    def test_every_field_has_a_text(self, kind: type[Command]) -> None:
        fields = fields_of(kind)
        for owner in {field.owner for field in fields.values()}:
            known = texts.docstrings(owner)
            assert all(known[f.name].strip() for f in fields.values() if f.owner is owner)

    @pytest.mark.parametrize("columns", [40, 60, 80, 400])
    def test_no_line_is_wider_than_the_terminal(
        self, columns: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        for line in texts.text(Train, {}).splitlines():
            assert len(line) <= max(min(columns, 100), 60)


def test_every_command_is_one_frozen_dataclass_under_its_name() -> None:
    assert {kind.name: f"{kind.__module__.split('.')[-1]}.{kind.__name__}" for kind in EVERY} == (
        COMMANDS
    )
    for kind in EVERY:
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
