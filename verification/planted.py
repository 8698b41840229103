"""
A pytest plugin for a run with a planted bug: no more tests than it takes.

A claim that failed once is done with, and the run ends when every claim asked for has failed;
Hypothesis does not shrink what it found.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings

from verification.plugin import claims_of


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the profile of the run, without its search for a simple example."""
    current = settings.get_profile(settings.get_current_profile_name())
    settings.register_profile(
        "planted",
        parent=current,
        phases=(Phase.explicit, Phase.generate),
        report_multiple_bugs=False,
    )
    settings.load_profile("planted")
    config.pluginmanager.register(Done(config.getoption("claim")), "npvpg-done")


class Done:
    """
    Which of the claims have failed.

    Parameters
    ----------
    wanted : list of str
        The claims asked for.
    """

    def __init__(self, wanted: list[str]) -> None:
        self.standing = set(wanted)
        self.claims_of_test: dict[str, list[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Pass over a test whose claims have all failed."""
        self.claims_of_test[item.nodeid] = claims_of(item)
        if not self.standing & set(claims_of(item)):
            pytest.skip("its claim has failed already")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Strike the claims of a test that failed."""
        if report.failed:
            self.standing -= set(self.claims_of_test[report.nodeid])
