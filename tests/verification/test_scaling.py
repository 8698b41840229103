"""The simulation of many cores, where it can be worked out by hand; and what travels."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from npvpg.runs import environments
from npvpg.runs.config import Config
from npvpg.world.actor import Actor
from npvpg.world.local import LocalCrew
from verification.scaling import __main__ as command
from verification.scaling import measure
from verification.scaling.simulate import Load, limit, saturation, throughput

EVEN = Load(np.array([0.1]), serve=0.01, learn=1e-5, steps=500)


def test_workers_that_cost_nothing_scale_without_end() -> None:
    free = EVEN._replace(serve=0.0, learn=0.0)
    for n in (1, 7, 1000):
        assert throughput(free, n) == pytest.approx(5000 * n)


def test_one_and_two_workers_by_hand() -> None:
    """Sent for in 5 ms each, back after 100, served in 5 ms each, learnt from in 5 ms each."""
    assert throughput(EVEN, 1) == pytest.approx(500 / (0.005 + 0.100 + 0.005 + 0.005))
    # the second is back at 110, as the first has been served
    assert throughput(EVEN, 2) == pytest.approx(1000 / (0.110 + 0.005 + 0.010))


def test_the_driver_is_the_limit() -> None:
    assert limit(EVEN) == pytest.approx(500 / 0.015)
    assert saturation(EVEN) == pytest.approx(0.1 / 0.015)
    few, many, more = (throughput(EVEN, n) for n in (1, 4, 1000))
    assert few < many < more == pytest.approx(limit(EVEN), rel=0.01)


def test_the_slowest_of_many_is_waited_for() -> None:
    uneven = EVEN._replace(play=np.array([0.05, 0.15]), serve=0.0, learn=0.0)
    assert throughput(uneven, 1) == pytest.approx(5000, rel=0.1)
    assert throughput(uneven, 64) == pytest.approx(64 * 500 / 0.15, rel=0.01)


def actor_of(config: Config) -> Actor:
    """The policy of a run before its first update."""
    crew = LocalCrew(lambda n: environments.make_for(config, n), 1)
    with measure.engine(crew, config) as (_, actor):
        return actor


def test_what_travels_grows_with_the_network_there_and_not_back() -> None:
    found = []
    for width in (16, 64):
        config = Config(**{**vars(measure.CARTPOLE), "hidden": (width, width)})
        found.append(measure.sizes(actor_of(config), config))
    (there, back), (more, same) = found
    n_parameters = [4 * (4 * w + w + w * w + w + 2 * w + 2) for w in (16, 64)]  # [B]
    assert more - there == pytest.approx(n_parameters[1] - n_parameters[0], abs=200)
    assert back == pytest.approx(same, rel=0.2)  # where more episodes end, more ends travel


def test_without_ray_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("npvpg.jobs.cluster.find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        command.main([])
    assert 'pip install "ray[tune]"' in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: extra ray")
@pytest.mark.filterwarnings("ignore")
def test_killed_workers_by_the_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(["--kills", "1"]) == 0
    told = capsys.readouterr().out
    assert told == "1 workers killed, 1 lost: state, metrics and episodes are the same\n"
    assert not list(tmp_path.iterdir())
