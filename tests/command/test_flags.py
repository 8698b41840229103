from typing import Any, Literal

import pytest

from npvpg.command.flags import sort_words

KINDS: dict[str, Any] = {
    "env": str,
    "gamma": float,
    "steps": int,
    "policy_lr": float,
    "hidden": tuple[int, ...],
    "standardize": bool,
    "estimator": Literal["gae", "td"],
}


@pytest.mark.parametrize(
    ("line", "plain", "flags"),
    [
        ("A --gamma 0.5", ["A"], ["--gamma", "0.5"]),
        ("--gamma=0.5 A", ["A"], ["--gamma", "0.5"]),
        ("--hidden 8 16 A", ["A"], ["--hidden", "8", "16"]),
        ("--hidden A", ["A"], ["--hidden"]),
        ("--hidden=8 A", ["A"], ["--hidden", "8"]),
        ("--standardize A", ["A"], ["--standardize"]),
        ("A --no-standardize", ["A"], ["--no-standardize"]),
        ("A --policy_lr -1e-3", ["A"], ["--policy_lr", "-0.001"]),
        ("--steps 1e6", [], ["--steps", "1000000"]),
        ("--steps 10_000", [], ["--steps", "10000"]),
        ("--env A", ["A"], []),
        ("A -5", ["A", "-5"], []),
    ],
)
def test_flags_take_their_values_and_leave_the_rest(
    line: str, plain: list[str], flags: list[str]
) -> None:
    words = sort_words(line.split(), KINDS)
    assert (words.plain, words.flags, words.help) == (plain, flags, False)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_may_stand_anywhere(flag: str) -> None:
    assert sort_words(["A", flag], KINDS).help
    assert sort_words([flag, "--steps", "3"], KINDS).flags == ["--steps", "3"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--gama 1", "unknown flag --gama (did you mean --gamma?)"),
        ("-g 1", "unknown flag -g"),
        ("--no-gamma", "unknown flag --no-gamma (did you mean --gamma?)"),
        ("--gamma", "--gamma needs a value"),
        ("--gamma abc", "--gamma must be a number, got 'abc'"),
        ("--steps 1.5", "--steps must be an integer, got '1.5'"),
        ("--steps inf", "--steps must be an integer, got 'inf'"),
        ("--hidden 8 3.5", "--hidden must be an integer, got '3.5'"),
        ("--estimator GAE", "--estimator must be one of gae, td, got 'GAE' (did you mean gae?)"),
        (
            "--standardize=1",
            "--standardize takes no value; --no-standardize is its opposite, got --standardize=1",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^-|^unknown") as caught:
        sort_words(line.split(), KINDS)
    assert str(caught.value) == message
