import subprocess
import sys

import pytest

from npvpg.distributions import Categorical
from npvpg.testing import check_distribution
from npvpg.testing.theorem import Ledger, Theorem, TheoremError

EULER = Theorem("Euler", "e^{iπ} = −1")


def test_what_only_checks_need_is_imported_by_the_check() -> None:
    code = "import sys, npvpg.testing; print({'hypothesis', 'scipy.stats'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("module", ["hypothesis", "scipy"])
def test_what_is_missing_is_named_with_the_extra(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"npvpg.testing needs {module}: pip install 'npvpg\[test\]'"
    with pytest.raises(ImportError, match=message):
        check_distribution(Categorical(2))


def test_the_worst_of_many_is_told() -> None:
    ledger = Ledger("exp")
    ledger.hold(EULER, [0.0, 1e-16], 1e-15)
    ledger.hold(EULER, [0.0, 2e-16], 1e-15)
    assert ledger.margins[EULER] == (2e-16, 1e-15, 4)
    assert ledger.margins[EULER].ratio == pytest.approx(0.2)
    with pytest.raises(TheoremError) as caught:
        ledger.hold(EULER, [[0.0, 1e-16], [2e-15, 1e-15]], 1e-15, x=3)
    assert str(caught.value).splitlines() == [
        "exp breaks Euler: e^{iπ} = −1",
        "  off by 2e-15, allowed 1e-15; smallest input found:",
        "    x = 3",
        "    at index = (1, 0)",
    ]


def test_what_is_not_a_number_breaks_a_theorem() -> None:
    with pytest.raises(TheoremError, match="off by nan"):
        Ledger("exp").hold(EULER, float("nan"), 1.0)


def test_what_holds_exactly_has_no_ratio() -> None:
    ledger = Ledger("exp")
    ledger.require(EULER, True)
    assert ledger.margins[EULER].ratio == 0
