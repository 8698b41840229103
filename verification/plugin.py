"""
The pytest plugin that gathers what every claim observed.

It travels in the reports, so that it works across pytest-xdist workers, and writes one JSON file
when asked with ``--claim-report``. A conftest registers it by its dotted name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from verification.claims import CLAIMS, Observations, observing

PROPERTY = "npvpg.observations"
COLLECTED = "npvpg.collected"
ASSERTION = "assertion"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the selection of claims and the report file."""
    group = parser.getgroup("verification", "claims of npvpg")
    group.addoption(
        "--claim", action="append", default=[], metavar="NAME", help="run this claim only"
    )
    group.addoption("--claim-report", metavar="PATH", help="write what every claim observed (JSON)")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker and start gathering."""
    config.addinivalue_line(
        "markers", "claim(name): the claim of the proof book this test establishes"
    )
    config.pluginmanager.register(Gatherer(config), "npvpg-gatherer")


def claims_of(item: pytest.Item) -> list[str]:
    """
    Names of the claims that a test establishes.

    Parameters
    ----------
    item : pytest.Item
        A collected test.

    Returns
    -------
    list of str
        Empty for a test that speaks for no claim.
    """
    return [mark.args[0] for mark in item.iter_markers("claim")]


def failure_kind(error: BaseException) -> str:
    """
    Tell a broken claim from a broken program.

    Parameters
    ----------
    error : BaseException
        What a test raised; groups are searched.

    Returns
    -------
    str
        "assertion" when the check itself said no (an assertion, a missing exception, a numerical
        warning made an error), otherwise the name of the exception's class.
    """
    if isinstance(error, BaseExceptionGroup):
        kinds = [failure_kind(inner) for inner in error.exceptions]
        return ASSERTION if ASSERTION in kinds else kinds[0]
    verdicts = (AssertionError, pytest.fail.Exception, Warning, FloatingPointError)
    return ASSERTION if isinstance(error, verdicts) else type(error).__name__


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Listen to `observe` while a test of a claim runs."""
    if not claims_of(item):
        return (yield)
    failure = ""
    with observing() as seen:
        try:
            return (yield)
        except pytest.skip.Exception:
            raise
        except BaseException as error:
            failure = failure_kind(error)
            raise
        finally:
            item.user_properties.append((PROPERTY, {**asdict(seen), "failure": failure}))


def short_message(report: pytest.TestReport) -> str:
    """
    Why a test did not pass, in one line.

    Parameters
    ----------
    report : pytest.TestReport
        Of any phase.

    Returns
    -------
    str
        Empty if pytest gives no reason.
    """
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", "")).partition("\n")[0]


class Gatherer:
    """
    Everything the claims of one run reported.

    Parameters
    ----------
    config : pytest.Config
        Of the controller or of a worker; only the controller writes.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.claims_of_test: dict[str, list[str]] = {}
        self.statements: dict[str, dict[str, Any]] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.collection_errors: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Note every test of a claim before -k or -m can hide it, then keep what is asked for."""
        self.claims_of_test = {item.nodeid: names for item in items if (names := claims_of(item))}
        yield
        wanted = set(config.getoption("claim"))
        if wanted:
            kept = [item for item in items if wanted & set(claims_of(item))]
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = kept

    def pytest_collection_finish(self) -> None:
        """Keep the statements of the claims, known once the modules are imported."""
        self.statements = {name: asdict(stated) for name, stated in CLAIMS.items()}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the files that could not be imported: their claims are unknown."""
        if report.failed:
            self.collection_errors.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome and the observations of a test; a set-up that fails is an outcome."""
        if report.when != "call" and report.passed:
            return
        seen = dict(report.user_properties).get(PROPERTY, {**asdict(Observations()), "failure": ""})
        assert isinstance(seen, dict)
        if report.failed and report.when != "call":
            seen["failure"] = report.when
        expected = "xfail" if hasattr(report, "wasxfail") else report.outcome
        self.results[report.nodeid] = {
            **seen,
            "outcome": expected,
            "message": short_message(report),
            "seconds": report.duration,
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker collected."""
        sent = getattr(node, "workeroutput", {}).get(COLLECTED)
        if sent:
            collected = json.loads(sent)
            self.claims_of_test.update(collected["claims_of_test"])
            self.statements.update(collected["statements"])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over to the controller, or write the report."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[COLLECTED] = json.dumps(
                {"claims_of_test": self.claims_of_test, "statements": self.statements}
            )
            return
        path = self.config.getoption("claim_report")
        if path:
            Path(path).write_text(json.dumps(self.report()), encoding="utf-8")

    def report(self) -> dict[str, Any]:
        """
        Put together what the run found.

        Returns
        -------
        dict
            ``claims``: for each name its ``statement`` (or None) and its ``tests``, each test a
            dictionary, None when the test was collected but never ran; ``collection_errors``;
            ``library``, the file of the npvpg that was imported, empty in a controller.
        """
        wanted = self.config.getoption("claim")
        names = wanted or dict.fromkeys([*self.statements, *self._named()])
        return {
            "claims": {
                name: {
                    "statement": self.statements.get(name),
                    "tests": {
                        test: self.results.get(test)
                        for test, named in self.claims_of_test.items()
                        if name in named
                    },
                }
                for name in names
            },
            "collection_errors": list(dict.fromkeys(self.collection_errors)),
            "library": str(getattr(sys.modules.get("npvpg"), "__file__", "")),
        }

    def _named(self) -> Iterator[str]:
        return (name for names in self.claims_of_test.values() for name in names)
