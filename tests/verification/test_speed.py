"""The speed program: its arithmetic, its protocol and its skipping. No time is asserted."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from npvpg.estimators import GAE
from npvpg.normalize import RunningMoments
from npvpg.runs import config_file
from npvpg.runs.config import Config
from verification.speed import __main__ as program
from verification.speed import command, contestants, pendulum, scaling, training
from verification.speed.peers import floors, npvpg_, sums
from verification.speed.peers.protocol import Judge, repeat
from verification.speed.session import QUICK, Plan, Session
from verification.speed.tables import Table, number, show
from verification.speed.timing import Ratio, Sample, ratio
from verification.speed.worker import MissingPackageError, Worker

TINY = Plan(
    repetitions=2,
    trainings=1,
    seeds=1,
    seconds=0.0,
    patience=0.0,
    peer_steps=0.01,
    updates=1,
    elements=1000,
    envs=(1, 2),
    widths=(4,),
    batches=(64,),
    mujoco=("InvertedPendulum-v5",),
)
STUB = """
from verification.speed.peers.protocol import serve

def load():
    {load}

def add(a, b):
    print("a library prints what it likes")
    return {{"sum": a + b}}

def fail():
    raise ValueError("no such thing")

serve(load, ("numpy", "no-such-distribution"))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that measured processes import from."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_peers(folder: Path) -> None:
    """Hide the peers, should they be installed."""
    for name in ("torch", "gymnax", "rltools"):
        missing = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (folder / f"{name}.py").write_text(missing, encoding="utf-8")


def stub(folder: Path, load: str) -> str:
    (folder / "stub.py").write_text(STUB.format(load=load), encoding="utf-8")
    return "stub"


def test_sample() -> None:
    sample = Sample((3.0, 1.0, 2.0))
    assert (sample.median, sample.low, sample.high) == (2, 1, 3)
    mostly_cut = Sample((1.0,), cut=(60.0, 61.0))
    assert (mostly_cut.median, mostly_cut.low, mostly_cut.high) == (math.inf, 1, math.inf)
    assert Sample((1.0, 2.0), cut=(60.0,)).median == 2
    with pytest.raises(ValueError, match="values must hold at least 1 measurement, got 0"):
        Sample(())


def test_ratio_is_one_of_medians() -> None:
    found = ratio(Sample((6.0, 90.0, 5.0)), Sample((2.0, 1.0, 3.0)))
    assert found is not None
    assert found.value == 3
    assert found.low < 3 < found.high
    assert ratio(Sample((6.0, 6.0)), Sample((2.0,) * 5)) == Ratio(3, 3, 3)


def test_interval_of_a_ratio() -> None:
    """Two on one side, one on the other: the redrawn medians are a, (a + b) / 2 and b."""
    found = ratio(Sample((2.0, 4.0)), Sample((2.0,)))
    assert found == Ratio(1.5, 1, 2)
    rng = np.random.default_rng(0)
    covered = 0
    for i in range(100):
        a, b = (Sample(tuple(rng.lognormal(0, 0.1, 15))) for _ in range(2))
        one = ratio(a, b, seed=i)
        assert one is not None
        covered += one.low <= 1 <= one.high
    assert covered >= 87  # as are 99.9 % of binomial draws of 100 with probability 0.95


def test_ratio_with_runs_that_were_stopped() -> None:
    bound = ratio(Sample((8.0,), cut=(60.0, 60.0)), Sample((2.0,)))
    assert bound is not None
    assert (bound.value, bound.at_least) == (30, True)
    assert ratio(Sample((1.0,)), Sample((2.0,), cut=(60.0,))) is None


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        ("text", "text"),
        (8, "8"),
        (1234, "1,234"),
        (0.0, "0"),
        (Sample((2.0,)), "2.00"),
        (Sample((1.0, 3.0)), "2.00 (1.00–3.00)"),
        (Sample((), cut=(60.0, 61.0)), "> 60.0"),
        (Sample((1.0, 2.0), cut=(60.0,)), "2.00 (1.00 to > 60.0)"),
        (Ratio(2.0, 2.0, 2.0), "2.00"),
        (Ratio(2.0, 1.0, 4.0, at_least=True), "≥ 2.00 (1.00–4.00)"),
    ],
)
def test_cells(cell: str | float | Sample | Ratio | None, text: str) -> None:
    assert show(cell) == text


@pytest.mark.parametrize("x", [1e-9, 0.00123, 0.0999, 0.1, 1, 9.99, 10.0, 99.9, 100.0, 123456.0])
def test_numbers_keep_three_digits(x: float) -> None:
    assert float(number(x).replace(",", "")) == pytest.approx(x, rel=5e-3)


def test_table() -> None:
    table = Table("Title", "Notes.", [{"": "a", "s": Sample((1.0,), cut=(9.0,))}])
    assert table.markdown().splitlines() == [
        "## Title", "", "Notes.", "", "|  | s |", "| --- | --- |", "| a | > 9.00 (1.00 to > 9.00) |"
    ]  # fmt: skip
    kept = json.loads(json.dumps(table.json(), allow_nan=False))["rows"][0]["s"]
    assert kept == {"median": None, "low": 1, "high": None, "values": [1], "cut": [9]}
    assert "Nothing was measured" in Table("Title", "Notes.").markdown()


def test_judge_needs_a_hundred_episodes() -> None:
    judge = Judge(475, math.inf)
    assert not judge.stops(10_000, [500.0] * 99)
    assert judge.stops(20_000, [500.0])
    assert judge.result()["solved_at"] == 20_000
    judge = Judge(475, math.inf)
    assert not judge.stops(1, [450.0] * 51 + [500.0] * 49)
    assert not judge.stops(1, [])
    assert judge.stops(2, [500.0])  # 475 on average, and no more
    assert [record[1:] for record in judge.result()["records"]] == [(1, 474.5), (2, 475.0)]
    assert Judge(None, 0.0).stops(1, [])
    assert not Judge(None, math.inf).stops(1, [500.0] * 100)


def test_levels_are_reached_where_a_record_passes_them() -> None:
    records = [(1.0, 10, -300.0), (2.0, 20, -190.0), (3.0, 30, -150.0)]
    runs = [{"records": records, "seconds": 3.0}, {"records": records[:1], "seconds": 9.0}]
    for level, second, step in ((-200, 2.0, 20), (-150, 3.0, 30)):
        assert pendulum.reached(runs, level) == (Sample((second,), (9.0,)), Sample((step,)))
    assert pendulum.reached(runs, 0) == (Sample((), (3.0, 9.0)), None)


def test_repeat_counts_what_it_measures() -> None:
    done: list[int] = []
    n, _ = repeat(lambda: done.append(1), seconds=0.0, at_least=4)
    assert (n, len(done)) == (4, 5)


def test_answers(folder: Path) -> None:
    with Worker(stub(folder, 'return {"add": add, "fail": fail}')) as worker:
        assert list(worker.versions) == ["numpy"]
        assert worker.ask("add", a=1, b=2) == {"sum": 3}
        with pytest.raises(RuntimeError, match="stub ended without an answer: ValueError: no such"):
            worker.ask("fail")
        with pytest.raises(RuntimeError, match="ended without an answer"):
            worker.ask("add", a=1, b=2)


def test_a_process_that_cannot_start(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="KeyError: 'broken'"):
        Worker(stub(folder, 'raise KeyError("broken")'))
    with pytest.raises(MissingPackageError, match="nowhere"):
        Worker(stub(folder, "import nowhere"))


def test_one_thread_and_no_imposed_kernels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    text = "import os; return {'get': lambda n: {'is': os.environ.get(n)}}"
    with Worker(stub(folder, text)) as worker:
        assert worker.ask("get", n="OPENBLAS_NUM_THREADS") == {"is": "1"}
        assert worker.ask("get", n="OPENBLAS_CORETYPE") == {"is": None}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(program.MEASURES))
@pytest.mark.usefixtures("no_peers")
def test_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "QUICK", TINY)
    monkeypatch.setattr(training, "train", lambda *_, **__: {"verdict": 1.0, "end": 2.0})
    monkeypatch.setattr(scaling, "over_seeds", lambda n, jobs: n / jobs)
    out = tmp_path / "out"
    assert program.main(["--quick", "--only", name, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (out / "speed.md").read_text(encoding="utf-8").strip() == printed.strip()
    kept = json.loads((out / "speed.json").read_text(encoding="utf-8"))
    assert kept["plan"]["seconds"] == 0
    assert kept["machine"]["processor"]
    assert {"numpy", "npvpg"} <= set(kept["versions"]["npvpg"])
    for table in kept["tables"]:
        assert table["title"] in printed
        assert table["rows"] or "Two jobs" in table["title"]
    skipped = {
        "training": {"PyTorch VPG": "torch", "rejax PPO (JAX)": "gymnax"},
        "loop": {"Stable-Baselines3 A2C": "torch", "Stable-Baselines3 PPO": "torch"},
        "kernels": {"JAX scan": "gymnax"},
        "pendulum": {"rl_tools PPO (C++)": "rltools", "Stable-Baselines3 PPO": "torch"},
    }.get(name, {})
    assert skipped.items() <= kept["skipped"].items()
    for peer, package in skipped.items():
        assert f"Skipped: {peer} ({package} is not installed)." in printed
    assert (out / "wall-time.png").exists() == (name == "training")


@pytest.mark.slow
def test_command() -> None:
    short = ("--steps", "512", "--evaluation-episodes", "0")
    found = command.train(0, *short)
    assert found["verdict"] is None
    assert found["end"] is not None
    with pytest.raises(RuntimeError, match="gamma must lie in"):
        command.train(0, "--gamma", "2")
    assert command.over_seeds(2, 1, *short) > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "nothing"], "invalid choice: 'nothing'"),
        (["--peer-python", "/no/python"], "--peer-python must be an interpreter, got /no/python"),
    ],
)
def test_wrong_calls(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        program.main(words)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_failure_takes_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(_: Session) -> list[Table]:
        raise RuntimeError("stub ended")

    monkeypatch.setitem(program.MEASURES, "kernels", fail)
    assert program.main(["--only", "kernels", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "verification.speed: error: stub ended"


@pytest.mark.parametrize("how", ["npvpg", "npvpg, many episodes", "npvpg, float32"])
@pytest.mark.parametrize("what", ["GAE", "reward-to-go"])
def test_sums_agree(how: str, what: str) -> None:
    """What is timed computes the same."""
    rng = np.random.default_rng(0)
    rew, val = rng.standard_normal((2, 50))
    expected = sums._python(what, rew, val)()
    dtype = np.dtype("float32" if "float32" in how else "float64")
    got = sums._npvpg(what, rew.astype(dtype), val.astype(dtype), 50)()
    np.testing.assert_allclose(got, expected, rtol=1e-4 if "float32" in how else 1e-12)
    np.testing.assert_allclose(sums._scipy(what, rew, val)(), expected, rtol=1e-9)
    assert sums.sums(how, what, 100, 0.0)["ns"] > 0


def test_floors_count_their_steps() -> None:
    assert floors.forward([4, 8, 2], 8, "float32", 0.0)["steps"] == 3 * 8
    assert floors.update(4, 2, [8], 16, 2, "float64", 0.0)["steps"] == 16
    for kind in ("one by one", "vector", "serial", "compiled"):
        assert floors.env_steps("CartPole-v1", 2, kind, 0.0)["steps"] == 2 * floors.N_ACTS


def test_npvpg_counts_its_steps() -> None:
    run = npvpg_.train("CartPole-v1", 0, {"envs": 2, "horizon": 8}, max_seconds=0.0, at_least=3)
    assert run["steps"] == 3 * 2 * 8
    assert npvpg_.rollout("CartPole-v1", 2, 8, 1, [4], seconds=0.0)["steps"] == 3 * 2 * 8


def test_peers_have_the_settings_of_the_preset() -> None:
    preset = Config("CartPole-v1", **config_file.preset("CartPole-v1"))
    for n_envs in (8, 1):
        settings = contestants.torch_vpg("CartPole-v1", n_envs).settings
        assert settings["n_envs"] * settings["horizon"] == preset.envs * preset.horizon
        for name in ("value_steps", "hidden", "reward_scale"):
            assert settings[name] == getattr(preset, name)
    assert QUICK.repetitions < Plan().repetitions >= 5


def test_peer_advantages() -> None:
    """The policy gradient in PyTorch weighs its scores as npvpg does."""
    torch = pytest.importorskip("torch", reason="PyTorch is a peer, not a dependency")
    from verification.speed.peers import torch_vpg  # noqa: PLC0415

    rng = np.random.default_rng(0)
    t, n = 12, 3
    done = rng.random((t, n)) < 0.25
    batch = torch_vpg.Batch(
        rng.standard_normal((t, n, 4)).astype(np.float32),
        rng.standard_normal((t, n, 4)).astype(np.float32),
        np.zeros((t, n), np.int64),
        rng.standard_normal((t, n)).astype(np.float32),
        done & (rng.random((t, n)) < 0.5),
        done,
    )
    batch.obs[1:][~done[:-1]] = batch.next_obs[:-1][~done[:-1]]
    value = torch_vpg._network(torch, [4, 8, 1], 1.0)
    adv, target = torch_vpg._advantages(torch, value, batch, 0.9, 0.8, 0.5)
    for i in range(n):
        cut = done[:, i].copy()
        cut[-1] = True
        start = np.append(0, np.flatnonzero(cut) + 1)
        with torch.no_grad():
            val, after = (
                value(torch.as_tensor(x[:, i])).numpy()[:, 0] for x in (batch.obs, batch.next_obs)
            )
        last = np.where(batch.terminated[cut, i], 0, after[cut])
        given = (0.5 * batch.rew[:, i], val, last, start)
        np.testing.assert_allclose(adv[:, i], GAE(0.9, 0.8)(*given), rtol=1e-4, atol=1e-5)
        expected = GAE(0.9, 0.8)(*given) + val
        np.testing.assert_allclose(target[:, i], expected, rtol=1e-4, atol=1e-5)


def test_peer_moments() -> None:
    """The policy gradient in PyTorch normalises as npvpg does."""
    from verification.speed.peers.torch_vpg import Moments  # noqa: PLC0415

    rows = np.random.default_rng(0).standard_normal((3, 20, 2)) * [1, 50] + [5, 0]
    theirs, ours = Moments(2), RunningMoments.empty(2)
    for block in rows:
        theirs.update(block)
        ours = ours.update(block)
        np.testing.assert_allclose(theirs.normalize(rows), ours.normalize(rows), rtol=1e-5)


@pytest.mark.parametrize("algorithm", ["A2C", "PPO"])
def test_stable_baselines3(algorithm: str) -> None:
    pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is a peer")
    settings = contestants.sb3(algorithm, "CartPole-v1", 8, 512).settings
    with Worker("verification.speed.peers.sb3", sys.executable) as worker:
        assert worker.ask("train", seed=0, **settings)["steps"] >= 512


def test_rejax() -> None:
    pytest.importorskip("rejax", reason="rejax is a peer")
    settings = {**contestants.rejax("CartPole-v1").settings, "n_steps": 4096}
    with Worker("verification.speed.peers.rejax_", sys.executable) as worker:
        run = worker.ask("train", seed=0, **settings)
    assert run["steps"] == 4096
    assert 5 < run["curve"][-1][2] < 500
