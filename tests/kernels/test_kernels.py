import subprocess
import sys

import pytest

from npvpg import kernels


def test_what_names_estimators_does_not_wait_for_numba() -> None:
    code = (
        "import sys, npvpg.runs.config, npvpg.estimators as e\n"
        "assert 'gae' in e.NAMED and 'numba' not in sys.modules\n"
        "from npvpg import kernels\n"
        "assert kernels.returns.gae is sys.modules['npvpg.kernels.returns'].gae"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_kernel_is_none() -> None:
    with pytest.raises(AttributeError, match=r"^module npvpg.kernels has no attribute turns$"):
        kernels.turns  # noqa: B018 - to ask is to import


def test_what_a_kernel_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "npvpg.kernels.returns", raising=False)
    monkeypatch.delattr(kernels, "returns", raising=False)
    monkeypatch.setitem(sys.modules, "npvpg.kernels.compiler", None)
    with pytest.raises(ModuleNotFoundError, match=r"npvpg\.kernels\.compiler"):
        kernels.returns  # noqa: B018
