"""Workers in the processes of a Ray cluster of two nodes, on this machine alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import npvpg
from npvpg.command.main import main
from npvpg.jobs import cluster, run
from npvpg.runs.directory import RunDirectory
from verification.scaling import kills

ROOT = Path(npvpg.__file__).parents[1]
ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's own
TRAIN = (
    "train verification.scaling.worlds:Waiting --envs 4 --horizon 16 --hidden 8 --steps 1280 "
    "--evaluation-episodes 0 --env-arg milliseconds="
)


def new_cluster() -> Any:
    """Start a cluster of one node, for the loopback address alone."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - it may not be there

    return Cluster(initialize_head=True, head_node_args=kills.NODE)


@pytest.fixture
def nodes() -> Iterator[Any]:
    """Start a cluster of two nodes, on which nothing was lost before."""
    made = new_cluster()
    made.add_node(**kills.NODE)
    yield made
    made.shutdown()


def alone(file: Path, path: Path, n_updates: int, milliseconds: float = 0.0) -> dict[str, bytes]:
    """Train in one process, in which nothing is killed."""
    run.train(kills.config(file, n_updates, milliseconds), RunDirectory(path))
    return kills.numbers(path)


def command(words: str, tmp_path: Path) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "npvpg", *words.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@ray
@pytest.mark.slow
def test_workers_that_are_killed_change_nothing(nodes: Any, tmp_path: Path) -> None:
    want = alone(tmp_path / "die", tmp_path / "alone", 5)
    asked = kills.config(tmp_path / "die", 5)
    assert kills.workers(asked, tmp_path / "killed", nodes.address, 3) == 4
    assert kills.numbers(tmp_path / "killed") == want


@ray
@pytest.mark.slow
def test_a_node_that_is_killed_changes_nothing(nodes: Any, tmp_path: Path) -> None:
    # of updates enough that some are left when Ray's processes have noticed that their node is gone
    want = alone(tmp_path / "die", tmp_path / "alone", 12, 20.0)
    asked = kills.config(tmp_path / "die", 12, 20.0)
    assert kills.node(asked, tmp_path / "run", nodes, 4) >= 1
    assert kills.numbers(tmp_path / "run") == want


@ray
@pytest.mark.slow
def test_a_worker_of_another_version_is_refused(
    nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {**run.versions(), "numpy": "0.0.7"}
    monkeypatch.setattr(cluster, "versions", lambda: ours)
    asked, theirs = kills.config(tmp_path / "die", 1), run.versions()["numpy"]
    with pytest.raises(ValueError, match=f"^a worker has numpy {theirs}, this process 0.0.7: "):
        kills.train(asked, tmp_path / "run", nodes.address, 1)


@pytest.mark.parametrize("name", ["npvpg", "numpy", "python"])
def test_versions_are_compared(name: str) -> None:
    ours = run.versions()
    cluster.check_versions({**ours, "gymnasium": "0.0.7"})
    with pytest.raises(ValueError, match=f"^a worker has {name} 0.0.7, this process {ours[name]}"):
        cluster.check_versions({**ours, name: "0.0.7"})


@ray
@pytest.mark.slow
def test_a_cluster_that_goes_away_ends_in_one_line_and_the_run_goes_on(tmp_path: Path) -> None:
    made = new_cluster()
    try:
        address = made.address
        words = f"{TRAIN}10 --workers 2 --ray-address {address} --out gone"
        process = command(words, tmp_path)
        rows = tmp_path / "gone" / "metrics.csv"
        until = time.monotonic() + 90
        while not (rows.exists() and rows.read_text().count("\n") > 3):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        made.remove_node(made.head_node, allow_graceful=False)
        out, err = process.communicate(timeout=60)
    finally:
        made.shutdown()
    assert process.returncode == 2
    line = f"npvpg: error: the Ray cluster at {address} is gone; go on with: npvpg train "
    assert err == f"{line}--resume gone\n"
    assert "raylet" not in out
    rest = command("train --resume gone", tmp_path)
    assert rest.communicate()[1] == ""
    whole = command(f"{TRAIN}0 --out whole", tmp_path)  # as fast as it can
    assert whole.communicate()[1] == ""
    assert kills.numbers(tmp_path / "gone") == kills.numbers(tmp_path / "whole")


@ray
@pytest.mark.slow
def test_a_cluster_is_started_here_and_ended(tmp_path: Path) -> None:
    process = command(f"{TRAIN}0 --out shared --workers 2", tmp_path)
    assert process.communicate()[1] == ""
    whole = command(f"{TRAIN}0 --out whole", tmp_path)
    assert whole.communicate()[1] == ""
    assert kills.numbers(tmp_path / "shared") == kills.numbers(tmp_path / "whole")
    left = subprocess.run(
        ["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    assert not [line for line in left.splitlines() if line.split()[0] == str(process.pid)]


@ray
@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:9", "no Ray cluster at 127.0.0.1:9: Connection refused"),
        ("somewhere", "ray-address must be HOST:PORT, got 'somewhere'"),
    ],
)
def test_an_address_where_there_is_none(
    address: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(f"{TRAIN}0 --workers 2 --ray-address {address} --out {out}".split()) == 2
    assert capsys.readouterr().err == f"npvpg: error: {told}\n"
    assert not out.exists()


def test_without_ray_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    out = tmp_path / "run"
    assert main(["train", "CartPole-v1", "--workers", "2", "--out", str(out)]) == 2
    told = 'workers need Ray, which is not installed: pip install "ray[tune]"'
    assert capsys.readouterr().err == f"npvpg: error: {told}\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--workers 0", "workers must be at least 1, got 0"),
        ("--workers 17", "--workers must be at most 16, as there are --envs, got 17"),
        (
            "--workers 2 --seeds 0-1",
            "--workers shares out one run: leave it out for several seeds",
        ),
        (
            "--ray-address 127.0.0.1:1",
            "--ray-address is for a Ray cluster: ask for it by --engine ray, or --workers",
        ),
    ],
)
def test_workers_that_there_cannot_be(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "CartPole-v1", *words.split()]) == 2
    assert capsys.readouterr().err == f"npvpg: error: {told}\n"
