"""Search of a smallest input, by Hypothesis: the same inputs in every run."""

import importlib
from collections.abc import Callable
from typing import Any

from npvpg.testing.theorem import TheoremError


def need(module: str) -> Any:
    """
    Import what only the checks need.

    Parameters
    ----------
    module : str
        Its name.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ImportError
        If it is not installed; the message names the extra that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"npvpg.testing needs {package}: pip install 'npvpg[test]'", name=module
        ) from error


def search(strategy: Any, holds: Callable[[Any], None], max_examples: int) -> None:
    """
    Try a property on drawn inputs, and shrink the first that breaks it.

    Parameters
    ----------
    strategy : hypothesis strategy
        Of the inputs.
    holds : callable
        Raises `TheoremError` on an input that breaks the property.
    max_examples : int
        Number of inputs.

    Raises
    ------
    TheoremError
        Of the smallest input found.
    """
    hypothesis = need("hypothesis")

    settings = hypothesis.settings(
        max_examples=max_examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def property_holds(given: Any) -> None:
        holds(given)

    try:
        settings(hypothesis.given(strategy)(property_holds))()
    except TheoremError as e:
        broken = TheoremError(e.theorem, e.subject, e.error, e.allowed, e.inputs)
    else:
        return
    raise broken  # anew, without the frames and the notes of the search
