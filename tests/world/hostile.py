"""Environments that break a rule, as a table: what each does, and the words it must get."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import OrderEnforcing, TimeLimit

BAD_STEP = 2
"""Step at which most of them do what they do."""


class Toy(gymnasium.Env[Any, Any]):
    """Four steps that are as they should be."""

    observation_space: spaces.Space[Any] = spaces.Box(-9, 9, (2,))
    action_space: spaces.Space[Any] = spaces.Discrete(2)

    def __init__(self) -> None:
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin."""
        super().reset(seed=seed)
        self.t = 0
        return self.show(), {}

    def step(self, action: Any) -> Any:
        """Count."""
        self.t += 1
        return self.show(), 1.0, self.t >= 4, False, {}

    def show(self) -> Any:
        """Show the time."""
        return np.full(2, self.t, np.float32)


class Case(NamedTuple):
    """What an environment does, how it is made, and a pattern of what is said of it."""

    name: str
    make: Callable[[], Any]
    said: str


def toy(**members: Any) -> Any:
    """A toy with other members."""
    return type("Toy", (Toy,), members)


def shows(space: spaces.Space[Any], obs: Any) -> Any:
    """A toy that shows something from the second step on."""
    return toy(
        observation_space=space, show=lambda self: obs if self.t >= BAD_STEP else plain(space)
    )


def plain(space: spaces.Space[Any]) -> Any:
    """The least element of a space, or zeros."""
    if isinstance(space, spaces.Dict):
        return {name: plain(part) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(plain(part) for part in space.spaces)
    if isinstance(space, spaces.Discrete):
        return int(space.start)
    if isinstance(space, spaces.MultiDiscrete):
        return space.start.copy()
    return np.zeros(space.shape or (), space.dtype)


def gives(*returned: Any) -> Any:
    """A toy whose second step returns something."""
    return returns(returned)


def returns(returned: Any) -> Any:
    """A toy whose second step returns what may be no tuple."""

    def step(self: Any, action: Any) -> Any:
        good = Toy.step(self, action)
        return returned if self.t == BAD_STEP else good

    return toy(step=step)


def raises(error: Callable[[], BaseException], method: str = "step") -> Any:
    """A toy whose second step, or a reset, raises something."""

    def fail(self: Any, *args: Any, **kwargs: Any) -> Any:
        if method == "step" and self.t + 1 < BAD_STEP:
            return Toy.step(self, *args)
        raise error()  # HERE

    return toy(**{method: fail})


class MuteError(Exception):
    """An exception that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


def later_reset(self: Any, *, seed: Any = None, options: Any = None) -> Any:
    """Begin once and never again."""
    if self.t:
        raise RuntimeError("second reset")
    return Toy.reset(self)


def bare_reset(self: Any) -> Any:
    """Begin as of old."""
    return Toy.reset(self)


def seed_only(self: Any, seed: Any = None) -> Any:
    """Begin without options."""
    return Toy.reset(self)


def options_only(self: Any, *, options: Any = None) -> Any:
    """Begin without a seed."""
    return Toy.reset(self)


def limited(env: Any) -> Any:
    """Wrap as `gymnasium.make` does."""
    return lambda: TimeLimit(OrderEnforcing(env()), 100)


OBS = np.zeros(2, np.float32)
INT = spaces.Box(-9, 9, (2,), np.int64)
BYTES = spaces.Box(0, 255, (2,), np.uint8)
FLOAT = spaces.Box(-9, 9, (2,), np.float64)
DICT = spaces.Dict({"a": spaces.Discrete(3), "b": INT})
PAIR = spaces.Tuple([spaces.Discrete(2), BYTES])
REAL = r"observation must hold real numbers, got "
STEP = r"step must return \(obs, reward, terminated, truncated, info\), got "
RESET = r"reset must return \(obs, info\), info a dict, got "
KEYWORDS = r"reset must take seed and options, as in def reset\(.*\), got TypeError\("
AT = r"tests/world/hostile.py:\d+\)$"

OBSERVATIONS = [
    Case("half in integers", shows(INT, [0.5, 0]), "must fit int64, whole numbers from .* got 0.5"),
    Case("NaN in integers", shows(INT, [0, np.nan]), "must fit int64, .* got nan"),
    Case("infinity in integers", shows(INT, [np.inf, 0]), "must fit int64, .* got inf"),
    Case("2**63 in int64", shows(INT, [2.0**63, 0]), "must fit int64, .* got 9.22.*e[+]18"),
    Case("300 in bytes", shows(BYTES, [300, 0]), "must fit uint8, .* from 0 to 255, got 300"),
    Case("-1 in bytes", shows(BYTES, np.array([0, -1])), "must fit uint8, .*, got -1"),
    Case("0.1 in bytes", shows(BYTES, np.array([0, 0.1])), "must fit uint8, .*, got 0.1"),
    Case(
        "70000 in int16",
        shows(spaces.Box(-9, 9, (2,), np.int16), np.array([70000, 0])),
        "must fit int16, whole numbers from -32768 to 32767, got 70000",
    ),
    Case(
        "1e300 in float32", shows(spaces.Box(-9, 9, (2,)), [1e300, 0]), "must fit float32, got 1e"
    ),
    Case("text", shows(FLOAT, ["1.5", "2"]), REAL),
    Case("a word", shows(FLOAT, "12"), REAL + "'12'"),
    Case("nothing", shows(FLOAT, None), REAL + "None"),
    Case("complex", shows(FLOAT, [1j, 0]), REAL),
    Case("ragged", shows(FLOAT, [[1, 2], [3]]), REAL + r"\[\[1, 2\], \[3\]\]"),
    Case("objects", shows(FLOAT, np.array([1, None])), REAL),
    Case("dates", shows(FLOAT, np.array(["2000", "2001"], "datetime64[Y]")), REAL),
    Case("durations", shows(FLOAT, np.array([1, 2], "timedelta64[s]")), REAL),
    Case("a dict for a Box", shows(FLOAT, {"a": 1}), REAL),
    Case("a set", shows(FLOAT, {1, 2}), REAL),
    Case("a scalar", shows(FLOAT, 1.0), r"must have shape \(2,\), got \(\) "),
    Case("too long", shows(FLOAT, np.zeros(3)), r"must have shape \(2,\), got \(3,\) "),
    Case("a row", shows(FLOAT, np.zeros((1, 2))), r"must have shape \(2,\), got \(1, 2\) "),
    Case("a column", shows(FLOAT, np.zeros((2, 1))), r"must have shape \(2,\), got \(2, 1\) "),
    Case("empty", shows(FLOAT, []), r"must have shape \(2,\), got \(0,\) "),
    Case("NaN", shows(FLOAT, [0, np.nan]), "observation must be finite, got nan at index 1 "),
    Case("infinite", shows(FLOAT, [-np.inf, 0]), "observation must be finite, got -inf at index 0"),
    Case("1e300", shows(FLOAT, [1e300, 0]), r"must be at most 1e\+18 in size, got 1e\+300 at "),
    Case("-1 of three", shows(spaces.Discrete(3), -1), r"must lie in Discrete\(3\), got -1 "),
    Case("3 of three", shows(spaces.Discrete(3), np.int64(3)), r"lie in Discrete\(3\), got 3 "),
    Case("0 from 1", shows(spaces.Discrete(3, start=1), 0), r"Discrete\(3, start=1\), got 0 "),
    Case("half of three", shows(spaces.Discrete(3), 0.5), r"must lie in Discrete\(3\), got 0.5 "),
    Case("NaN of three", shows(spaces.Discrete(3), np.nan), r"must lie in Discrete\(3\), got nan "),
    Case("'1' of three", shows(spaces.Discrete(3), "1"), REAL + "'1'"),
    Case("one in a list", shows(spaces.Discrete(3), [1]), r"must have shape \(\), got \(1,\)"),
    Case(
        "a digit too large", shows(spaces.MultiDiscrete([2, 2]), [0, 2]), "lie in Multi.*, got 2 "
    ),
    Case("two for a bit", shows(spaces.MultiBinary(2), [0, 2]), r"lie in MultiBinary\(2\), got 2 "),
    Case("half a bit", shows(spaces.MultiBinary(2), [0.5, 0]), r"MultiBinary\(2\), got 0.5 "),
    Case("a key missing", shows(DICT, {"a": 1}), r"keys \['a', 'b'\], got the keys \['a'\]"),
    Case(
        "a key too many",
        shows(DICT, {"a": 1, "b": [0, 0], "c": 3}),
        r"must be a dict of the keys \['a', 'b'\], got the keys \['a', 'b', 'c'\]",
    ),
    Case("no dict", shows(DICT, [1, 2]), r"must be a dict of the keys .*, got \[1, 2\]"),
    Case("half inside", shows(DICT, {"a": 1, "b": [0, 0.5]}), r"observation\['b'\] must fit int64"),
    Case("-1 inside", shows(DICT, {"a": -1, "b": [0, 0]}), r"observation\['a'\] must lie in Disc"),
    Case("a pair of one", shows(PAIR, (1,)), r"must be a tuple of 2 parts, got \(1,\)"),
    Case("no pair", shows(PAIR, 7), "must be a tuple of 2 parts, got 7"),
    Case(
        "300 in a pair", shows(PAIR, (1, [0, 300])), r"observation\[1\] must fit uint8, .*got 300"
    ),
]

STEPS = [
    Case(
        "info for terminated", gives(OBS, 1.0, {}, False, {}), "terminated must be True or False, "
    ),
    Case("info for truncated", gives(OBS, 1.0, False, {}, {}), r"truncated must be .*, got \{\}: "),
    Case(
        "reward for terminated", gives(OBS, False, 1.0, False, {}), "terminated must .* got 1.0: "
    ),
    Case(
        "one for terminated", gives(OBS, 1.0, 1, False, {}), "terminated must be .*, got 1: step "
    ),
    Case("no terminated", gives(OBS, 1.0, None, False, {}), "terminated must be .*, got None: "),
    Case("a word for an end", gives(OBS, 1.0, "False", False, {}), "terminated must .*'False': "),
    Case("two ends", gives(OBS, 1.0, np.zeros(2, bool), False, {}), "terminated must be True or "),
    Case("NaN for an end", gives(OBS, 1.0, False, np.nan, {}), "truncated must be .*, got nan: "),
    Case("four values", gives(OBS, 1.0, False, {}), STEP + "4 values"),
    Case("six values", gives(OBS, 1.0, False, False, {}, {}), STEP + "6 values"),
    Case("four through wrappers", limited(gives(OBS, 1.0, False, {})), STEP + "4 values"),
    Case("six through wrappers", limited(gives(OBS, 1.0, 0, 0, 0, {})), STEP + "more"),
    Case("nothing through wrappers", limited(returns(None)), STEP + "a non-iterable NoneType"),
    Case("nothing", returns(None), STEP + "None"),
    Case("the observation alone", returns(np.zeros(5)), STEP + "array"),
    Case("a dict", returns({"obs": OBS}), STEP),
    Case("text for a reward", gives(OBS, "1.5", False, False, {}), "one real number, got '1.5': "),
    Case(
        "a complex reward", gives(OBS, 1j, False, False, {}), "one real number, got 1j: step must"
    ),
    Case(
        "rewards by name", gives(OBS, {"a": 1}, False, False, {}), r"real number, got \{'a': 1\}: "
    ),
    Case(
        "two rewards", gives(OBS, np.ones(2), False, False, {}), "reward must be one real number, "
    ),
    Case("no reward", gives(OBS, None, False, False, {}), "reward must be one real .*, got None: "),
    Case("an empty reward", gives(OBS, [], False, False, {}), r"must be one real .*, got \[\]: "),
    Case(
        "NaN for a reward", gives(OBS, np.nan, False, False, {}), "reward must be finite, got nan "
    ),
    Case(
        "an endless reward", gives(OBS, -np.inf, False, False, {}), "reward must be finite, got -i"
    ),
    Case(
        "1e300 for a reward",
        gives(OBS, 1e300, False, False, {}),
        r"reward must be at most 1e\+18 in size, got 1e\+300 from sub-environment 1 at step 2 of ",
    ),
]

RAISING = [
    Case("RuntimeError", raises(lambda: RuntimeError("it broke")), r"RuntimeError: it broke \("),
    Case("KeyError", raises(lambda: KeyError("x")), r"KeyError: 'x' \("),
    Case("ZeroDivisionError", raises(ZeroDivisionError), r"ZeroDivisionError \("),
    Case("ValueError", raises(lambda: ValueError("a\nb")), r"ValueError: a b \("),
    Case(
        "OSError",
        raises(lambda: OSError(2, "no file")),
        r"FileNotFoundError: \[Errno 2\] no file \(",
    ),
    Case("EOFError", raises(lambda: EOFError("end")), r"EOFError: end \("),
    Case("AssertionError", raises(AssertionError), r"AssertionError \("),
    Case("StopIteration", raises(lambda: StopIteration(3)), r"StopIteration: 3 \("),
    Case("RecursionError", raises(RecursionError), r"RecursionError \("),
    Case("TypeError", raises(lambda: TypeError("to unpack")), r"TypeError: to unpack \("),
    Case("of Gymnasium", raises(lambda: gymnasium.error.Error("g")), r"Error: g \("),
    Case("mute", raises(MuteError), r"MuteError \("),
    Case("long", raises(lambda: ValueError("x" * 9999)), r"ValueError: x+\.\.\. \("),
    Case("sys.exit", raises(SystemExit), r"sys.exit\(None\) \("),
    Case("sys.exit of a text", raises(lambda: SystemExit("closed")), r"sys.exit\('closed'\) \("),
    Case("in reset", raises(lambda: RuntimeError("r"), "reset"), r"RuntimeError: r \("),
    Case("exit in reset", raises(lambda: SystemExit(0), "reset"), r"sys.exit\(0\) \("),
    Case("in a later reset", toy(reset=later_reset), r"RuntimeError: second reset \("),
    Case("through wrappers", limited(raises(lambda: KeyError("x"))), r"KeyError: 'x' \("),
]

RESETS = [
    Case("the observation alone", toy(reset=lambda self, **k: OBS), RESET + r"array\("),
    Case("four dimensions alone", toy(reset=lambda self, **k: np.zeros(4)), RESET + r"array\("),
    Case("a number alone", toy(reset=lambda self, **k: 0.0), RESET + "0.0"),
    Case("nothing", toy(reset=lambda self, **k: None), RESET + "None"),
    Case("no info", toy(reset=lambda self, **k: (OBS, None)), RESET),
    Case("three values", toy(reset=lambda self, **k: (OBS, {}, {})), RESET),
    Case("a dict", toy(reset=lambda self, **k: {"obs": OBS, "info": {}}), RESET),
    Case("no keywords", toy(reset=bare_reset), KEYWORDS),
    Case("no options", toy(reset=seed_only), KEYWORDS),
    Case("no seed", toy(reset=options_only), KEYWORDS),
    Case("no keywords below wrappers", limited(toy(reset=bare_reset)), KEYWORDS),
    Case("NaN at once", toy(show=lambda self: [np.nan, 0]), "observation must be finite, got nan "),
    Case("too long at once", toy(show=lambda self: [0, 0, 0]), r"shape \(2,\), got \(3,\) from "),
]

DECLARED = [
    Case(
        "no observations", toy(observation_space=None), "observation_space must be a gymnasium.sp"
    ),
    Case(
        "no actions", toy(action_space=None), "action_space must be a gymnasium.spaces.Space, set"
    ),
    Case(
        "a class for a space", toy(action_space=spaces.Discrete), "action_space must be a gymnasi"
    ),
    Case(
        "a shape for a space", toy(observation_space=(2,)), r"observation_space must .* got \(2,\)"
    ),
    Case(
        "no metadata", toy(metadata=None), r'metadata must be a dict such as \{"render_modes": \['
    ),
    Case(
        "other observations",
        toy(observation_space=spaces.Box(-8, 8, (2,))),
        "observation_space must be the same in every sub-environment, got Box.* in the first and B",
    ),
    Case(
        "other actions",
        toy(action_space=spaces.Discrete(3)),
        r"action_space must be the same in every .* got Discrete\(2\) in the first and Discrete\(3",
    ),
]

SPACES = [
    Case(
        "two million observations",
        toy(observation_space=spaces.Discrete(2_000_000)),
        r"^observations must count at most 10,000 values, got 2,000,000 in Discrete\(2000000\): ",
    ),
    Case(
        "two million actions",
        toy(action_space=spaces.Discrete(2_000_000)),
        "^actions must count at most 10,000 values, got 2,000,000 in ",
    ),
    Case(
        "many digits",
        toy(observation_space=spaces.Dict({"a": spaces.MultiDiscrete([9000, 9000])})),
        "^observations must count at most 10,000 values, got 18,000 in ",
    ),
    Case(
        "text", toy(observation_space=spaces.Text(3)), "^observations must lie in Box, Discrete, "
    ),
    Case(
        "graphs",
        toy(action_space=spaces.Graph(spaces.Discrete(2), None)),
        "^actions must lie in Box, Discrete, ",
    ),
    Case("nothing", toy(observation_space=spaces.Box(0, 1, (0,))), "^observations must lie in Box"),
]

TAKEN = [
    ("whole floats in integers", shows(INT, [1.0, -2.0]), [1, -2]),
    ("integers in floats", shows(FLOAT, np.array([1, -2])), [1, -2]),
    ("truth in floats", shows(FLOAT, [True, False]), [1, 0]),
    ("an int of NumPy's", shows(spaces.Discrete(3), np.int8(1)), [0, 1, 0]),
    ("a whole float for an int", shows(spaces.Discrete(3), 2.0), [0, 0, 1]),
    ("a scalar array", shows(spaces.Discrete(3), np.array(2)), [0, 0, 1]),
    ("outside the bounds", shows(FLOAT, [90.0, -90.0]), [90, -90]),
    ("256 in int16", shows(spaces.Box(-9, 9, (2,), np.int16), [256, -256]), [256, -256]),
]

if sys.version_info >= (3, 14):  # the words of Python itself
    STEPS = [case for case in STEPS if case.name != "six through wrappers"]
