"""Policies out of the house: every format acts as the run does, for every distribution."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

import npvpg
from npvpg.command.main import main
from npvpg.exporting import onnx_file
from npvpg.exporting.export import Format
from npvpg.runs.evaluation import Trained, trained
from npvpg.runs.heads import heads
from npvpg.world.actor import Actor
from npvpg.world.spaces import unflatten
from npvpg.world.squash import BoundAction, ScaleAction, SquashAction, origin_and_unit

WORLDS = """
import gymnasium
import numpy as np
from gymnasium import spaces

BOX = spaces.Box(np.array([-1, -0.1], np.float32), np.array([3, np.inf], np.float32))
ACTIONS = {
    "discrete": spaces.Discrete(3, start=5),
    "multidiscrete": spaces.MultiDiscrete([2, 3], start=[0, 4]),
    "bits": spaces.MultiBinary([2, 2]),
    "box": BOX,
    "double": spaces.Box(-0.1, 0.3, (2, 2), np.float64),
    "whole": spaces.Box(-2, 2, (2,), np.int32),
    "both": spaces.Dict(
        {
            "arm": spaces.Tuple([spaces.Box(-1, 0.5, (2,)), spaces.Discrete(2)]),
            "go": spaces.MultiDiscrete([2, 3]),
            "lamp": spaces.MultiBinary(2),
        }
    ),
}
OBSERVATIONS = {
    "plain": spaces.Box(-np.inf, np.inf, (3,)),
    "double": spaces.Box(-np.inf, np.inf, (3,), np.float64),
    "hot": spaces.Discrete(4),
    "dict": spaces.Dict({"a": spaces.Box(-np.inf, np.inf, (2,)), "b": spaces.Discrete(2)}),
}


class World(gymnasium.Env):
    def __init__(self, act="discrete", obs="plain"):
        self.action_space, self.observation_space = ACTIONS[act], OBSERVATIONS[obs]

    def look(self):
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.look(), {}

    def step(self, action):
        self.t += 1
        return self.look(), float(self.np_random.random()), self.t == 7, False, {}
"""
SHORT: dict[str, Any] = {
    "steps": 256,
    "envs": 2,
    "horizon": 32,
    "hidden": (8, 6),
    "policy_lr": 0.05,
    "init_log_sigma": -1.0,
    "evaluation_episodes": 0,
    "quiet": True,
}
CASES: dict[str, dict[str, Any]] = {
    "categorical": {},
    "without normaliser": {"normalize_obs": False},
    "categorical, relu": {"activation": "relu", "dtype": "float64"},
    "with its mode": {"greedy": 0.6},
    "with its mode, double": {"greedy": 0.6, "dtype": "float64"},
    "several": {"env_arg": {"act": "multidiscrete"}},
    "bits": {"env_arg": {"act": "bits"}, "dtype": "float64"},
    "Gaussian": {"env_arg": {"act": "box"}},
    "Gaussian, clipped": {"env_arg": {"act": "box"}, "action_bound": "clip"},
    "Gaussian, without normaliser": {"env_arg": {"act": "box"}, "normalize_obs": False},
    "Gaussian, sigma of the state": {"env_arg": {"act": "box"}, "sigma": "state"},
    "Gaussian, double": {"env_arg": {"act": "double"}, "dtype": "float64"},
    "Gaussian, double, clipped": {"env_arg": {"act": "double"}, "action_bound": "clip"},
    "Gaussian, double bounds": {"env_arg": {"act": "double"}},
    "whole numbers": {"env_arg": {"act": "whole"}, "init_log_sigma": 0.5},
    "squashed": {"env_arg": {"act": "double"}, "action_bound": "tanh"},
    "squashed, sigma of the state": {
        "env_arg": {"act": "double"},
        "action_bound": "tanh",
        "sigma": "state",
        "dtype": "float64",
    },
    "whole numbers, squashed": {"env_arg": {"act": "whole"}, "action_bound": "tanh"},
    "product": {"env_arg": {"act": "both"}},
    "product, squashed": {"env_arg": {"act": "both"}, "action_bound": "tanh"},
    "product, sigma of the state": {
        "env_arg": {"act": "both"},
        "sigma": "state",
        "dtype": "float64",
        "normalize_obs": False,
    },
    "observations in float64": {"env_arg": {"obs": "double"}, "dtype": "float64"},
    "observations one-hot": {"env_arg": {"obs": "hot"}},
    "observations in a Dict": {"env_arg": {"obs": "dict", "act": "box"}},
    "affine": {"hidden": ()},
}
# of values of order 1 through three layers; the largest seen are 1.5e-7 and 1.3e-15
CLOSE = {"float32": 1e-6, "float64": 1e-14}
N = 64


@pytest.fixture(scope="module", params=CASES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Train a little: sigma, normaliser and weights are no longer what they began as."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "export_worlds.py").write_text(WORLDS)
    settings = SHORT | CASES[request.param]
    yield npvpg.train(f"{folder / 'export_worlds.py'}:World", out=folder / "run", **settings).path
    sys.modules.pop("export_worlds", None)


@pytest.fixture(scope="module")
def said(run: Path) -> "Said":
    return Said(run)


class Said:
    """What the run itself says of some observations."""

    def __init__(self, run: Path) -> None:
        with trained(run) as of:
            self.bound = of.env if isinstance(of.env, BoundAction) else None
            self.space = (
                self.bound.bounded_action_space if self.bound else of.env.single_action_space
            )
            self.obs = observations(of)
            policy, theta = of.acting
            actor = Actor(policy, theta, of.state.obs_moments)
            self.dtype = theta.dtype.name
            self.law = policy.distribution
            self.params = policy.params(theta, actor.see(self.obs))
            self.greedy = self.sent(of, self.law.mode(self.params))
            noise = self.law.noise(np.random.default_rng(5), N)
            self.drawn = self.sent(of, self.law.sample(self.params, noise))
            self.squashed = isinstance(of.env, SquashAction)
            self.heads = heads(of.env, self.law)
        self.named = named(self)

    @staticmethod
    def sent(of: Trained, act: NDArray[Any]) -> Any:
        """Bring actions into what the environment gets."""
        to_env = unflatten(of.env.single_action_space, act)
        return of.env.actions(to_env) if isinstance(of.env, BoundAction) else to_env


def observations(of: Trained) -> NDArray[np.float64]:
    """Draw observations, some of them far out, where the normaliser cuts."""
    space = of.env.single_observation_space
    space.seed(3)
    flat = [np.asarray(spaces.flatten(space, space.sample()), np.float64) for _ in range(N)]
    rows = np.stack(flat)
    if isinstance(space, spaces.Box):
        rows[: N // 4] *= 100
    return rows.astype(spaces.flatten_space(space).dtype).astype(np.float64)


def named(said: Said) -> dict[str, NDArray[Any]]:
    """Give the parameters of the distribution under the names that they leave with."""
    found: dict[str, NDArray[Any]] = {}
    for head in said.heads:
        own = said.params[:, head.params]

        def called(what: str, name: str = head.name) -> str:
            return what + name if not name or name[0] == "[" else f"{name}.{what}"

        if isinstance(head.space, spaces.Box):
            mu, log_sigma = np.split(own, 2, axis=1)
            log_sigma = np.clip(log_sigma, -20, 2)
            if isinstance(said.bound, ScaleAction):
                unit = origin_and_unit(head.space)[1].ravel()
                mu, log_sigma = head.mapped(mu), log_sigma + np.log(unit)
            found |= {called("mean"): mu, called("log_sigma"): log_sigma}
        elif isinstance(head.space, spaces.Discrete):
            n = own.shape[1]
            p = [head.law.log_prob(own, np.full(N, k)) for k in range(n)]
            found[called("logits")] = np.stack(p, axis=1)  # up to a constant a row
        else:
            found[called("logits")] = own
    return found


def leaves(action: Any) -> list[Any]:
    """Lay an action out, as nested as its space."""
    if isinstance(action, dict):
        return [leaf for name in sorted(action) for leaf in leaves(action[name])]
    if isinstance(action, tuple):
        return [leaf for part in action for leaf in leaves(part)]
    return [action]


def same(have: Any, want: Any, dtype: str, types: bool = True) -> None:
    """Compare actions: choices by their values, numbers to rounding; types as well."""
    assert type(have) is type(want) or not isinstance(want, dict | tuple)
    pairs = list(zip(leaves(have), leaves(want), strict=True))
    assert pairs
    for a, b in ((np.asarray(a), b) for a, b in pairs):
        assert a.shape == b.shape
        if types:
            assert a.dtype == b.dtype
        if b.dtype.kind == "f":
            rounded = 3e-7 if b.dtype == np.float32 else 0.0  # a unit in the last place of 3
            np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE[dtype] + rounded)
        else:
            assert np.array_equal(a, b)


def close(have: dict[str, Any], want: dict[str, NDArray[Any]], dtype: str) -> float:
    """Compare parameters, logits up to what a softmax does not see; give the largest error."""
    assert set(have) == set(want)
    worst = 0.0
    for name, theirs in want.items():
        a, b = np.asarray(have[name], np.float64), theirs.astype(np.float64)
        assert a.shape == b.shape
        if "logits" in name and b.shape[1] > 1 and np.allclose(np.exp(b).sum(axis=1), 1, atol=1e-4):
            a = a - np.log(np.exp(a - a.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
            a, b = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True), np.exp(b)
        worst = max(worst, float(np.abs(a - b).max()))
    assert worst <= CLOSE[dtype], worst
    return worst


def load(path: Path, name: str) -> Any:
    """Import a file."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


needs_onnx = pytest.mark.skipif(
    find_spec("onnx") is None or find_spec("onnxruntime") is None, reason="onnx is not installed"
)


@pytest.mark.slow
@needs_onnx
def test_onnx_is_the_policy(run: Path, said: Said) -> None:
    import onnxruntime  # noqa: PLC0415 - an extra

    path = npvpg.export(run, "onnx")
    assert path == run / "policy.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    names = [out.name for out in session.get_outputs()]
    outputs = dict(
        zip(names, session.run(None, {"obs": said.obs.astype(kinds[given.type])}), strict=True)
    )
    close({name: outputs[name] for name in said.named}, said.named, said.dtype)
    actions = [outputs[name] for name in names if name not in said.named]
    for have, want in zip(actions, leaves(said.greedy), strict=True):
        same(have, want, said.dtype)


def test_numpy_is_the_policy_and_draws_as_it_does(run: Path, said: Said) -> None:
    policy = load(npvpg.export(run, "numpy"), "exported_numpy")
    close(policy.params(said.obs), said.named, said.dtype)
    same(policy.act(said.obs), said.greedy, said.dtype)
    same(policy.act(said.obs, np.random.default_rng(5)), said.drawn, said.dtype)
    for have, want in zip(leaves(policy.act(said.obs[0])), leaves(said.greedy), strict=True):
        np.testing.assert_allclose(have, want[0], atol=1e-5)


def test_json_is_the_policy(run: Path, said: Said) -> None:
    told = json.loads(npvpg.export(run, "json").read_text(), parse_constant=pytest.fail)
    same(acted(told, said.obs), said.greedy, said.dtype, types=False)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_torch_is_the_policy_and_can_be_trained(run: Path, said: Said) -> None:
    import torch  # noqa: PLC0415 - a peer

    policy = load(npvpg.export(run, "torch"), "exported_torch").Policy()
    with torch.no_grad():
        params = {name: value.numpy() for name, value in policy(said.obs).items()}
    if not (isinstance(said.law, npvpg.GreedyCategorical)):
        close(params, said.named, said.dtype)

    def plain(action: Any) -> Any:
        if isinstance(action, dict):
            return {name: plain(part) for name, part in action.items()}
        return tuple(map(plain, action)) if isinstance(action, tuple) else action.numpy()

    same(plain(policy.act(said.obs, greedy=True)), said.greedy, said.dtype)
    torch.manual_seed(0)
    for have, want in zip(leaves(plain(policy.act(said.obs))), leaves(said.greedy), strict=True):
        assert have.shape == want.shape
        assert have.dtype == want.dtype
    laws = policy.distribution(said.obs)
    laws = laws.values() if isinstance(laws, dict) else [laws]
    sum(law.log_prob(law.sample()).sum() for law in laws).backward()
    assert all(np.isfinite(p.grad.numpy()).all() for p in policy.parameters())
    if len(laws) == 1 and not isinstance(said.greedy, dict):
        check_log_prob(policy, said)


def check_log_prob(policy: Any, said: Said) -> None:
    """Compare log-probabilities of the same raw actions with ours, where there is one law."""
    import torch  # noqa: PLC0415

    law = policy.distribution(said.obs)
    raw = said.law.sample(said.params, said.law.noise(np.random.default_rng(1), N))
    act = torch.as_tensor(said.heads[0].mapped(raw) if said.bound else raw)
    theirs = law.log_prob(act).detach().numpy()
    want = said.law.log_prob(said.params, raw)
    # near a bound the inverse of tanh has few digits left
    loose = 1e-2 if said.squashed else 1e-4 if said.dtype == "float32" else 1e-11
    np.testing.assert_allclose(theirs, want, rtol=loose, atol=loose)


def acted(told: dict[str, Any], obs: NDArray[np.float64]) -> Any:
    """Do what the JSON says, and nothing else: the most probable actions."""
    x = obs
    if told["normaliser"]:
        how = told["normaliser"]
        x = np.clip((x - how["mean"]) * how["scale"], -how["bound"], how["bound"])
    kind = np.dtype(told["network"]["type"])
    x = x.astype(kind)
    layers = told["network"]["layers"]
    for k, layer in enumerate(layers):
        x = x @ np.array(layer["weight"], kind).reshape(x.shape[1], -1) + np.array(
            layer["bias"], kind
        )
        if k < len(layers) - 1:
            x = np.tanh(x) if told["network"]["activation"] == "tanh" else np.maximum(x, 0)

    def of(part: dict[str, Any]) -> Any:
        if part["kind"] == "dict":
            return {name: of(inner) for name, inner in part["parts"].items()}
        if part["kind"] == "tuple":
            return tuple(map(of, part["parts"]))
        shape = (len(x), *part["shape"])
        if part["kind"] == "categorical":
            best = [x[:, slice(*each["outputs"])].argmax(axis=1) for each in part["logits"]]
            return (np.stack(best, axis=1) + part["start"]).reshape(shape)
        if part["kind"] == "bernoulli":
            return (x[:, slice(*part["logits"][0]["outputs"])] > 0).reshape(shape)
        assert part["kind"] == "gaussian"
        assert set(part["log_sigma"]) in ({"free"}, {"outputs"})
        y = x[:, slice(*part["mean"]["outputs"])].astype(np.float64)
        y = part["origin"] + np.array(part["unit"]) * (np.tanh(y) if part["squashed"] else y)
        if "int" in part["type"]:
            y = np.rint(y)
        low = [-np.inf if end is None else end for end in part["low"]]
        high = [np.inf if end is None else end for end in part["high"]]
        return np.clip(y, low, high).reshape(shape)

    return of(told["action"])


@pytest.mark.slow
def test_the_numpy_file_needs_numpy_alone(tmp_path: Path) -> None:
    npvpg.train("Pendulum-v1", out=tmp_path / "run", **SHORT)
    path = npvpg.export(tmp_path / "run", "numpy", tmp_path / "mine.py")
    code = (
        "import sys; import numpy; before = set(sys.modules);"
        f"sys.path.insert(0, {str(tmp_path)!r}); import mine;"
        "print(mine.act(numpy.zeros(3)).shape);"
        "assert set(sys.modules) - before <= {'mine', 'base64', 'binascii', 'struct', '_struct'} "
        "| {m for m in sys.modules if m.startswith('numpy')}, set(sys.modules) - before"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("(1,)\n", "")
    assert path == tmp_path / "mine.py"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("export none", "none holds no run: it has no config.toml"),
        (
            "export run --format onyx",
            "--format must be one of onnx, torch, numpy, json, got 'onyx'",
        ),
        ("export run --out a.txt", "a file of format onnx must end in .onnx, got 'a.txt'"),
        (
            "export run --format numpy --out no/a.py",
            "no/a.py cannot be written: no is no directory",
        ),
    ],
)
def test_misuse_is_one_line(
    words: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    npvpg.train("CartPole-v1", out="run", **SHORT)
    capsys.readouterr()
    assert main(words.split()) == 2
    assert says in capsys.readouterr().err
    assert list(Path().glob("*.*")) == []


def test_without_onnx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="pip install onnx"):
        onnx_file.dumps(None)  # type: ignore[arg-type]


def test_the_command_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    npvpg.train("CartPole-v1", out="run", **SHORT)
    formats: list[Format] = ["torch", "numpy", "json"]
    for format in formats:
        capsys.readouterr()
        assert main(["export", "run", "--format", format]) == 0
        assert Path(capsys.readouterr().out.strip()).is_file()
    assert list(Path().iterdir()) == [Path("run")]


def test_whole_numbers_that_no_float_holds_are_refused(tmp_path: Path) -> None:
    sys.modules.pop("export_worlds", None)
    (tmp_path / "export_worlds.py").write_text(
        WORLDS.replace('"whole": spaces.Box(-2, 2, (2,), np.int32)', '"whole": HUGE').replace(
            "BOX = ", "HUGE = spaces.Box(-(2**62), 2**62, (1,), np.int64)\nBOX = "
        )
    )
    settings = SHORT | {"env_arg": {"act": "whole"}}
    npvpg.train(f"{tmp_path / 'export_worlds.py'}:World", out=tmp_path / "run", **settings)
    sys.modules.pop("export_worlds", None)
    with pytest.raises(ValueError, match=r"actions must lie within 2\*\*53 to be exported"):
        npvpg.export(tmp_path / "run", "json")
