"""What a run in another process reports of its pace."""

from types import SimpleNamespace
from typing import Any

import pytest

from npvpg.jobs.worker import Reporter
from npvpg.runs.report import Report


def at(steps: int) -> Any:
    """A run that has come so far."""
    return SimpleNamespace(steps=steps, mean_return=1.0, solved_at_step=None)


def test_the_speed_is_that_of_late_and_knows_no_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("npvpg.jobs.worker.time.perf_counter", lambda: clock[0])
    told: list[Report] = []
    reporter = Reporter("3", told.append)
    nothing: Any = None
    for clock[0], steps in ((0.0, 0), (10.0, 100), (10.5, 1100), (12.0, 4100), (13.0, 5100)):
        if steps:
            reporter.iteration(nothing, at(steps))
        else:
            reporter.header(nothing, at(0))
    assert [report.steps_per_second for report in told] == [None, None, 2000, 2000, 1000]
