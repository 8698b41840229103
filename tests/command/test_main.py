"""The real command: what it prints, what it leaves behind, and every way to misuse it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import npvpg
from npvpg.command.main import main
from npvpg.estimators import NAMED
from npvpg.runs import checkpoint, config_file
from npvpg.runs.algorithms import ALGORITHMS

SHORT = "--steps 128 --envs 2 --horizon 16 --hidden 8 --evaluation-episodes 2 --gamma 0.99"

ENVIRONMENTS = """
import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env):
    observation_space = spaces.Box(-np.inf, np.inf, (2,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = getattr(self, "t", 0)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        obs, reward = self.outcome(self.t == 40)
        return obs, reward, self.t % 7 == 0, False, {}


class NaN(Walk):
    def outcome(self, bad):
        return np.full(2, np.nan if bad else 0, np.float32), 1.0


class Inf(Walk):
    def outcome(self, bad):
        return np.zeros(2, np.float32), float("inf") if bad else 1.0


class Shape(Walk):
    def outcome(self, bad):
        return np.zeros(3 if bad else 2, np.float32), 1.0


class Odd(Walk):
    observation_space = spaces.Tuple([spaces.Box(0, 1, (2,)), spaces.Sequence(spaces.Discrete(2))])


class Words(Walk):
    action_space = spaces.Text(3)


for kind in (NaN, Inf, Shape, Odd, Words):
    gymnasium.register(f"{kind.__name__}-v0", kind)
gymnasium.register(
    "Vector-v0", vector_entry_point="gymnasium.envs.classic_control.cartpole:CartPoleVectorEnv"
)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a directory with environments of one's own; forget them afterwards."""
    monkeypatch.chdir(tmp_path)
    Path("odd_worlds.py").write_text(ENVIRONMENTS)
    before = set(gymnasium.registry)
    yield
    for name in set(gymnasium.registry) - before:
        if not name.startswith("npvpg/"):  # those are registered once, by an import
            del gymnasium.registry[name]
    for name in ("odd_worlds", "easy"):
        sys.modules.pop(name, None)


@pytest.fixture
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a preset be one whose values are known here."""
    (tmp_path / "presets").mkdir()
    Path("presets/Acrobot-v1.toml").write_text("gamma = 0.7\nlam = 0.7\nreward_scale = 0.7\n")
    monkeypatch.setattr(config_file, "PRESETS", Path("presets"))


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Run a command line that must fail, and give its one line."""

    def run(line: str) -> str:
        capsys.readouterr()
        assert command(line) == 2
        err = capsys.readouterr().err
        assert re.fullmatch(r"npvpg: error: [^\n]+\n", err), err
        return err.removeprefix("npvpg: error: ").strip()

    return run


@pytest.fixture
def trained(capsys: pytest.CaptureFixture[str]) -> Path:
    """Give a short run that has ended."""
    assert command(f"train CartPole-v1 {SHORT} --out run") == 0
    capsys.readouterr()
    return Path("run")


def command(line: str) -> int:
    """Carry out a command line, and give its exit code."""
    return main(line.split())


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


class TestHelp:
    @pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
    def test_it_lists_the_commands(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 0
        out = capsys.readouterr().out
        assert all(f"npvpg {name}" in out for name in ("train", "evaluate", "plot"))

    def test_it_waits_for_no_package(self, tmp_path: Path) -> None:
        code = (
            "import sys; from npvpg.command.main import main; code = main(['--help'])\n"
            "slow = {'numpy', 'numba', 'gymnasium', 'matplotlib', 'rich'}\n"
            "sys.exit(code or ', '.join(slow & set(sys.modules)) or None)"
        )
        root = str(Path(npvpg.__file__).parents[1])
        subprocess.run(
            [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": root}
        )

    def test_the_version_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"npvpg {npvpg.__version__}\n"

    def test_every_field_is_a_flag_with_its_help(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "400")
        assert command("train --help") == 0
        out = capsys.readouterr().out
        assert re.search(
            r"--gamma FACTOR +Discount per step, in \[0, 1\]\. \(default: 0\.99\)", out
        )
        assert re.search(r"--hidden .*\s+Widths of the hidden layers", out)
        assert re.search(r"--resume DIR +Run to go on with", out)

    @pytest.mark.usefixtures("_presets")
    def test_the_defaults_shown_are_those_of_the_preset(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "400")
        assert command("train Acrobot-v1 --help") == 0
        assert re.search(r"--reward-scale [A-Z]+ [^(]*\(default: 0\.7\)", capsys.readouterr().out)

    @pytest.mark.parametrize("name", ["evaluate", "plot", "exact", "random-walk", "analytic"])
    def test_the_other_commands_have_help_too(
        self, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([name, "--help"]) == 0
        assert f"usage: npvpg {name}" in capsys.readouterr().out


class TestTrain:
    def test_it_shows_what_runs_and_what_came_of_it(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert command(f"train CartPole-v1 {SHORT} --out run --seed 5 --lam 0.9") == 0
        out, err = capsys.readouterr()
        assert err == ""
        for words in (
            "CartPole-v1 (compiled) · 2 side by side · solved at 475",
            "observations Box(4,) · actions Discrete(2)",
            "Φₜ = Âₜ = Σₗ (γλ)ˡ δₜ₊ₗ",
            "γ = 0.99, λ = 0.9 · 2 × 16 steps per update",
            "58 policy + 49 value",
            "seed        5",
            "not solved in 128 steps: mean return over the last 100 episodes",
            "sampled  ",
            "greedy   ",
            "npvpg evaluate run",
            "npvpg plot run",
        ):
            assert words in out
        assert "\x1b" not in out  # no terminal, no colours and no bar

    def test_it_leaves_seven_files(self, trained: Path) -> None:
        assert sorted(contents(trained)) == [
            "checkpoint.safetensors",
            "config.toml",
            "curve.png",
            "episodes.csv",
            "metrics.csv",
            "summary.json",
            "times.csv",
        ]
        assert trained.joinpath("curve.png").read_bytes().startswith(b"\x89PNG")
        assert len(trained.joinpath("metrics.csv").read_text().splitlines()) == 1 + 4

    def test_its_configuration_repeats_the_run_bit_for_bit(self, trained: Path) -> None:
        assert command("train --config run/config.toml --out again") == 0
        first, second = contents(trained), contents(Path("again"))
        for name in ("config.toml", "metrics.csv", "episodes.csv"):
            assert first[name] == second[name]
        one, two = (checkpoint.load(Path(d, "checkpoint.safetensors"))[0] for d in ("run", "again"))
        assert one.keys() == two.keys()
        for name, array in one.items():
            np.testing.assert_array_equal(array, two[name])

    @pytest.mark.usefixtures("_presets")
    def test_flags_come_before_the_file_and_the_file_before_the_preset(self) -> None:
        Path("mine.toml").write_text("gamma = 0.5\nlam = 0.5\nenv = 'Acrobot-v1'\n")
        assert command(f"train --config mine.toml --out run {SHORT}") == 0
        text = Path("run/config.toml").read_text()
        assert text.startswith('env = "Acrobot-v1"\n')
        assert "\ngamma = 0.99\nlam = 0.5\n" in text
        assert "\nreward_scale = 0.7\n" in text

    @pytest.mark.usefixtures("_presets")
    def test_an_algorithm_comes_before_the_file_and_flags_before_the_algorithm(self) -> None:
        Path("mine.toml").write_text("estimator = 'gae'\nhorizon = 8\nstandardize = true\n")
        line = f"train Acrobot-v1 --config mine.toml --algorithm baseline --out run {SHORT}"
        assert command(f"{line.replace('--horizon 16', '')} --value-target lambda") == 0
        text = Path("run/config.toml").read_text()
        assert '\nestimator = "baseline"\n' in text
        assert "\nhorizon = 0\n" in text
        assert "\nstandardize = false\n" in text
        assert '\nvalue_target = "lambda"\n' in text
        assert "\nreward_scale = 0.7\n" in text
        assert "algorithm" not in text

    def test_an_algorithm_is_the_flags_that_it_stands_for(self) -> None:
        flags = "--estimator td --value-target return --no-standardize"
        for line in ("--algorithm actor-critic --out a", f"{flags} --out b"):
            assert command(f"train CartPole-v1 {SHORT} {line}") == 0
        assert command("train --config a/config.toml --out c") == 0
        for other in ("b", "c"):
            for name in ("config.toml", "metrics.csv"):
                assert Path("a", name).read_bytes() == Path(other, name).read_bytes()

    def test_without_out_it_goes_to_runs(self) -> None:
        assert command(f"train CartPole-v1 {SHORT}") == 0
        (path,) = Path("runs").iterdir()
        assert re.fullmatch(r"CartPole-v1-seed0-\d{8}-\d{6}", path.name)

    @pytest.mark.slow
    @pytest.mark.parametrize("estimator", NAMED)
    def test_every_estimator_trains(self, estimator: str) -> None:
        assert command(f"train CartPole-v1 {SHORT} --estimator {estimator}") == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_every_algorithm_trains(self, algorithm: str) -> None:
        assert command(f"train CartPole-v1 {SHORT} --algorithm {algorithm}") == 0

    def test_other_settings_train(self) -> None:
        line = (
            "--sigma state --optimizer sgd --value-minibatch 8 --value-target return "
            "--entropy-weight 0.1 --standardize --per-step --discount-weights --max-grad-norm 1 "
            "--normalize-obs --normalize-rewards --dtype float64 --activation relu "
            "--lr-decay constant --async-envs --horizon 0"
        )
        flags = "--steps 500 --envs 2 --hidden --evaluation-episodes 0"
        assert command(f"train Pendulum-v1 {flags} {line}") == 0

    def test_it_stops_when_solved_unless_told_not_to(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("easy.py").write_text(
            "import gymnasium\n"
            "gymnasium.register('Easy-v0', 'gymnasium.envs.classic_control:CartPoleEnv',\n"
            "                   reward_threshold=10, max_episode_steps=15)\n"
        )
        flags = "--steps 3000 --envs 2 --horizon 16 --hidden 8 --evaluation-episodes 0"
        assert command(f"train easy:Easy-v0 {flags} --out a") == 0
        step = json.loads(Path("a/summary.json").read_text())["solved_at_step"]
        assert f"solved at step {step:,}: mean return over the last 100" in capsys.readouterr().out
        episodes = Path("a/episodes.csv").read_text().splitlines()[1:]
        assert len(episodes) >= 100
        assert step < 2000
        assert command(f"train easy:Easy-v0 {flags} --no-stop-when-solved --out b") == 0
        summary = json.loads(Path("b/summary.json").read_text())
        assert summary["solved_at_step"] == step
        assert summary["steps"] >= 3000

    def test_the_summary_holds_what_scripts_ask_for(self, trained: Path) -> None:
        summary = json.loads(trained.joinpath("summary.json").read_text())
        assert list(summary) == [
            "env",
            "seed",
            "steps",
            "seconds",
            "seconds_beside",
            "steps_per_second",
            "solved_at_step",
            "mean_return_100",
            "evaluation",
            "versions",
        ]
        assert (summary["env"], summary["seed"], summary["steps"]) == ("CartPole-v1", 0, 128)
        assert summary["evaluation"]["greedy"]["episodes"] == 2


class TestEvaluateAndPlot:
    def test_it_plays_sampled_and_greedy(
        self, trained: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = f"evaluate {trained} --episodes 5 --seed 3"
        assert command(line) == 0
        assert re.search(
            r"sampled +[\d.]+ ± [\d.]+ · 5 episodes · 95% interval [\d.]+ to [\d.]+\n"
            r" +greedy +[\d.]+ ± ",
            capsys.readouterr().out,
        )
        assert command(f"{line} --json") == 0
        first = json.loads(capsys.readouterr().out)
        assert first["sampled"]["episodes"] == first["greedy"]["episodes"] == 5
        assert command(f"{line} --json") == 0
        assert json.loads(capsys.readouterr().out) == first

    def test_it_draws_one_run_or_several(
        self, trained: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        trained.joinpath("curve.png").unlink()
        assert command("plot run") == 0
        assert capsys.readouterr().out == "run/curve.png\n"
        assert command("plot run run --out both.png") == 0
        here = set(Path().iterdir())
        capsys.readouterr()
        assert command("plot missing run run") == 0
        out, err = capsys.readouterr()
        assert out == "run/curves.png\n"
        assert err == "npvpg: missing/episodes.csv does not exist: left out\n"
        assert set(Path().iterdir()) == here  # nothing is written to where nobody asked for it
        for path in ("run/curve.png", "both.png", "run/curves.png"):
            assert Path(path).read_bytes().startswith(b"\x89PNG")

    def test_it_draws_a_line_an_algorithm(
        self, trained: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = f"{SHORT} --algorithm"
        for name in ("vpg", "reinforce"):
            assert command(f"train CartPole-v1 {flags} {name} --out {name}") == 0
        capsys.readouterr()
        assert command("plot vpg reinforce --label a --out a.png") == 2
        assert "label must name each of 2 groups once, got 1" in capsys.readouterr().err
        assert command("plot vpg reinforce --out a.svg --label first,second") == 0
        assert Path("a.svg").read_text().startswith("<?xml")


class TestBadInput:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("trian", "unknown command 'trian' (did you mean train or variance?); see "),
            ("train", "no environment given; try: npvpg train CartPole-v1"),
            ("train A B", "train takes one ENV, got A and B"),
            (
                "train CartPol-v1",
                "unknown environment 'CartPol-v1' (did you mean CartPole-v1, ",
            ),
            ("train no_such:A-v0", "cannot import the module of environment 'no_such:A-v0': "),
            ("train odd_worlds:Odd-v0", "environment odd_worlds:Odd-v0 has the observation space"),
            (
                "train odd_worlds:Words-v0",
                "environment odd_worlds:Words-v0 has the action space Text",
            ),
            (
                "train odd_worlds:Vector-v0",
                "environment odd_worlds:Vector-v0 must have its autoreset disabled",
            ),
            (
                "train CartPole-v1 --action-bound tanh",
                "environment CartPole-v1 cannot be squashed: actions to squash must lie in a "
                "bounded Box, got Discrete(2)",
            ),
            (
                "train Pendulum-v1 --action-bound tan",
                "--action-bound must be one of scale, clip, tanh, ",
            ),
            ("train CartPole-v1 --gamma 1.2", "gamma must lie in [0, 1], got 1.2"),
            ("train CartPole-v1 --lam -1", "lam must lie in [0, 1], got -1.0"),
            ("train CartPole-v1 --greedy 1", "greedy must lie in [0, 1), got 1.0"),
            (
                "train Pendulum-v1 --greedy 0.5",
                "greedy must be 0 unless actions are one Discrete, got Gaussian of 1",
            ),
            ("train CartPole-v1 --n 0", "n must be at least 1, got 0"),
            ("train CartPole-v1 --hidden 64 0", "hidden must hold widths of at least 1, got 64 0"),
            ("train CartPole-v1 --steps 0", "steps must be at least 1, got 0"),
            ("train CartPole-v1 --envs -2", "envs must be at least 1, got -2"),
            ("train CartPole-v1 --gamma abc", "--gamma must be a number, got 'abc'"),
            ("train CartPole-v1 --gamma", "--gamma needs a value"),
            ("train CartPole-v1 --gama 1", "unknown flag --gama (did you mean --gamma"),
            ("train CartPole-v1 --estimator ga", "--estimator must be one of total-return, "),
            (
                "train CartPole-v1 --algorithm actor-criti",
                f"--algorithm must be one of {', '.join(ALGORITHMS)}, got 'actor-criti' "
                "(did you mean actor-critic?)",
            ),
            (
                "train --resume none --algorithm vpg",
                "--resume goes on with the configuration of the run: leave out --algorithm",
            ),
            ("train CartPole-v1 --config none.toml", "none.toml does not exist"),
            ("train CartPole-v1 --out odd_worlds.py", "odd_worlds.py is a file; a run needs a"),
            ("train --resume none", "none is no run directory: it holds no config.toml"),
            ("evaluate", "evaluate needs RUN; see npvpg evaluate --help"),
            ("evaluate a b", "evaluate takes one RUN, got a and b"),
            ("evaluate none", "none "),
            ("evaluate none --episodes 0", "episodes must be at least 1, got 0"),
            ("evaluate none --episode 1", "unknown flag --episode (did you mean --episodes?)"),
            ("plot", "plot needs RUN; see npvpg plot --help"),
            ("plot none", "none/episodes.csv does not exist"),
            ("plot none --out a.jpg", "out must end in .png, .pdf or .svg, got a.jpg"),
        ],
    )
    def test_it_is_answered_in_one_line(
        self, line: str, message: str, fails: Callable[[str], str]
    ) -> None:
        assert fails(line).startswith(message)
        assert [path.name for path in Path().glob("[!_]*")] == ["odd_worlds.py"]

    @pytest.mark.parametrize("kind", ["Odd", "Words"])
    def test_what_is_supported_is_said(self, kind: str, fails: Callable[[str], str]) -> None:
        assert "; supported: Box" in fails(f"train odd_worlds:{kind}-v0")

    def test_a_missing_extra_comes_with_the_line_that_installs_it(
        self, fails: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in sys.modules if name.startswith("gymnasium.envs.mujoco")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "mujoco", None)
        assert fails("train InvertedPendulum-v5").endswith('pip install "gymnasium[mujoco]"')

    def test_an_unknown_key_of_a_file_is_named(self, fails: Callable[[str], str]) -> None:
        Path("mine.toml").write_text("polcy_lr = 0.1")
        assert fails("train CartPole-v1 --config mine.toml").startswith(
            "mine.toml: unknown key 'polcy_lr' (did you mean policy_lr"
        )
        Path("mine.toml").write_text("gamma = 1.5")
        assert fails("train CartPole-v1 --config mine.toml") == (
            "mine.toml: gamma must lie in [0, 1], got 1.5"
        )

    def test_a_directory_with_another_run_is_left_alone(
        self, trained: Path, fails: Callable[[str], str]
    ) -> None:
        before = contents(trained)
        message = fails("train CartPole-v1 --seed 1 --out run")
        assert message.startswith("run holds another run (config.toml, ")
        assert message.endswith("choose another --out, or continue it: npvpg train --resume run")
        assert contents(trained) == before

    def test_a_run_cannot_go_on_with_another_configuration(
        self, trained: Path, fails: Callable[[str], str]
    ) -> None:
        before = contents(trained)
        message = fails("train --resume run --gamma 0.9 --hidden 16")
        assert message.startswith("--resume goes on with the configuration of the run, which")
        assert "hidden ((16,), was (8,)), gamma (0.9, was 0.99)" in message
        assert "env (Acrobot-v1, was CartPole-v1)" in fails("train Acrobot-v1 --resume run")
        assert contents(trained) == before
        text = before["config.toml"].decode()
        saved = tomllib.loads(text)
        Path("run/config.toml").write_text(re.sub("(?m)^lam = .*$", "lam = 0.5", text))
        message = fails("train --resume run")
        assert message.startswith("run/checkpoint.safetensors was written with another config")
        assert message.endswith(f": lam (0.5, was {saved['lam']})")
        Path("run/config.toml").write_text(re.sub("(?m)^lam = .*$", "", text))
        assert fails("train --resume run") == ("run/config.toml must give every field, lam missing")

    @pytest.mark.parametrize("other", ["--out a", "--config run/config.toml"])
    def test_a_run_goes_on_in_its_own_directory(
        self, other: str, trained: Path, fails: Callable[[str], str]
    ) -> None:
        flag = other.split(maxsplit=1)[0]
        message = f"--resume goes on in its own directory: leave out {flag}"
        assert fails(f"train --resume {trained} {other}") == message

    def test_a_truncated_or_foreign_checkpoint_is_named(
        self, trained: Path, fails: Callable[[str], str]
    ) -> None:
        path = trained / "checkpoint.safetensors"
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], b"", b"PK\x03\x04 a zip file", whole[8:]):
            path.write_bytes(damaged)
            assert fails("train --resume run").startswith(f"{path} is ")
            assert fails("evaluate run").startswith(f"{path} is ")
            assert path.read_bytes() == damaged
        checkpoint.save(path, {"theta": np.zeros(3)}, {})
        assert fails("train --resume run").startswith(f"{path} is no checkpoint of a run")
        _, metadata = checkpoint.load(_saved(whole))
        checkpoint.save(path, {"theta": np.zeros(3)}, metadata)
        assert fails("train --resume run").startswith(f"{path} is no checkpoint of a run")
        arrays, _ = checkpoint.load(_saved(whole))
        checkpoint.save(path, arrays | {"learner.theta": np.zeros(3, np.float32)}, metadata)
        assert fails("train --resume run") == (
            f"{path} must hold 58 parameters of the policy, got 3"
        )

    def test_a_checkpoint_with_the_names_of_before_is_read(
        self, trained: Path, fails: Callable[[str], str]
    ) -> None:
        path = trained / "checkpoint.safetensors"
        whole = path.read_bytes()
        arrays, metadata = checkpoint.load(path)
        before = {name.removeprefix("learner."): array for name, array in arrays.items()}
        assert before.keys() != arrays.keys()
        checkpoint.save(path, before, metadata)
        assert command("train --resume run") == 0
        path.write_bytes(whole)
        checkpoint.save(path, before | {"theta": np.zeros(3, np.float32)}, metadata)
        assert fails("train --resume run").startswith(f"{path} must hold 58 parameters of the")

    def test_logs_that_lost_rows_are_not_continued(
        self, trained: Path, fails: Callable[[str], str]
    ) -> None:
        path = trained / "metrics.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        assert fails("train --resume run") == "run/metrics.csv must have 4 rows to go on, got 3"

    @pytest.mark.parametrize(
        ("kind", "message"),
        [("NaN", "nan"), ("Inf", "inf"), ("Shape", "shape")],
    )
    @pytest.mark.parametrize("mode", ["--no-async-envs", "--async-envs"])
    def test_an_environment_that_breaks_loses_nothing(
        self, kind: str, message: str, mode: str, fails: Callable[[str], str]
    ) -> None:
        flags = "--steps 1000 --envs 2 --horizon 16 --hidden 8 --out run"
        error = fails(f"train odd_worlds:{kind}-v0 {flags} {mode}")
        assert message in error.lower()
        assert f"sub-environment 0 at step 5 of an episode of {kind}-v0 with seed " in error
        assert "sub-environment 0 " in error
        # updates of 16 steps each: two are complete, the third broke
        arrays, metadata = checkpoint.load(Path("run/checkpoint.safetensors"))
        assert metadata["metrics_rows"] == 2
        assert all(np.isfinite(array).all() for array in arrays.values())
        assert len(Path("run/metrics.csv").read_text().splitlines()) == 1 + 2
        assert message in fails("train --resume run").lower()


def _saved(data: bytes) -> Path:
    path = Path("whole.safetensors")
    path.write_bytes(data)
    return path
