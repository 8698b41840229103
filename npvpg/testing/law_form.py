"""Shapes, types, purity and independence of the rows of a distribution."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution
from npvpg.testing.theorem import Ledger, Theorem

SHAPES = Theorem("shapes", "every method returns one row, or one number, a row of parameters")
PURITY = Theorem("purity", "the same arguments give the same bits, and are left as they were")
ROWS = Theorem("rows", "a row of the result depends on its own row of the arguments alone")
PRECISION = Theorem("precision", "float32 parameters give float32, equal to float64 to rounding")
REFUSAL = Theorem("refusal", "what would broadcast but has another shape is a ValueError")

Array = NDArray[Any]
Calls = dict[str, tuple[Callable[..., Any], tuple[Array, ...]]]
UNIT32 = 2.0**-24


def form(ledger: Ledger, law: Distribution, params: Array, other: Array, noise: Array) -> None:
    """
    Hold every method to its contract of shapes, types and independence.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    params, other : ndarray, shape (S, H)
        Parameters.
    noise : ndarray, shape (S, ...)
        Noise.
    """
    told = {"params": params, "noise": noise}
    n_rows = len(params)
    ledger.require(SHAPES, noise.shape == (n_rows, *law.event_shape), method="noise", **told)
    act = np.asarray(law.sample(params, noise))
    told["act"] = act
    calls: Calls = {
        "sample": (law.sample, (params, noise)),
        "mode": (law.mode, (params,)),
        "log_prob": (law.log_prob, (params, act)),
        "score": (law.score, (params, act)),
        "entropy": (law.entropy, (params,)),
        "entropy_score": (law.entropy_score, (params,)),
        "kl": (law.kl, (params, other)),
    }
    for name, (method, given) in calls.items():
        kept = [x.copy() for x in given]
        value = method(*given)
        shape = _shape(law, name, n_rows)
        good = isinstance(value, np.ndarray) and value.shape == shape
        ledger.require(SHAPES, good, method=name, shape=np.shape(value), wanted=shape, **told)
        ledger.require(PURITY, _same(value, method(*given)), method=name, **told)
        untouched = all(map(_same, kept, given))
        fresh = not any(np.shares_memory(value, x) for x in given)
        ledger.require(PURITY, untouched and fresh, method=name, **told)
        for i in range(n_rows if n_rows > 1 else 0):
            alone = method(*(x[i : i + 1] for x in given))[0]
            size = 1 + np.abs(value[i]) + np.abs(params[i]).max()
            ledger.hold(ROWS, value[i] - alone, 1e-12 * size, method=name, row=i, **told)
    _precision(ledger, law, calls, told)


def _precision(ledger: Ledger, law: Distribution, calls: Calls, told: dict[str, Any]) -> None:
    """Compare every method on float32 with the same numbers in float64."""
    params = told["params"].astype(np.float32)
    act = told["act"]
    if act.dtype.kind == "f":
        act = act.astype(np.float32)
    double = params.astype(np.float64)
    size = 1 + np.abs(law.score(double, act) * double).sum(axis=1)
    for name in ("log_prob", "score", "entropy", "entropy_score"):
        method = calls[name][0]
        rest = (act,) if name in ("log_prob", "score") else ()
        single, wanted = method(params, *rest), method(double, *(x.astype(float) for x in rest))
        ledger.require(
            PRECISION, single.dtype == np.float32, method=name, returned=single.dtype, **told
        )
        scale = size if single.ndim == 1 else size[:, np.newaxis]
        allowed = 64 * law.n_params * UNIT32 * (scale + np.abs(wanted)) * (1 + np.abs(wanted))
        ledger.hold(PRECISION, single - wanted, allowed, method=name, **told)
    drawn = law.sample(params, told["noise"])
    good = drawn.dtype in (np.float32, np.int64)
    ledger.require(PRECISION, good, method="sample", returned=drawn.dtype, **told)


def refusals(ledger: Ledger, law: Distribution) -> None:
    """
    Hold every method to refusing arguments of other shapes.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    """
    params = np.zeros((2, law.n_params))
    noise = law.noise(np.random.default_rng(0), 2)
    act = np.asarray(law.sample(params, noise))
    wide, flat = np.zeros((2, law.n_params + 1)), np.zeros(law.n_params)
    column = act[..., np.newaxis]
    calls: Calls = {
        "log_prob, a parameter too many": (law.log_prob, (wide, act)),
        "log_prob, one row without its axis": (law.log_prob, (flat, act[:1])),
        "log_prob, one action for two rows": (law.log_prob, (params, act[:1])),
        "log_prob, an axis too many": (law.log_prob, (params, column)),
        "score, a parameter too many": (law.score, (wide, act)),
        "score, one action for two rows": (law.score, (params, act[:1])),
        "score, an axis too many": (law.score, (params, column)),
        "sample, a parameter too many": (law.sample, (wide, noise)),
        "sample, noise of one row for two": (law.sample, (params, noise[:1])),
        "mode, a parameter too many": (law.mode, (wide,)),
        "entropy, a parameter too many": (law.entropy, (wide,)),
        "entropy_score, a parameter too many": (law.entropy_score, (wide,)),
        "kl, one row for two": (law.kl, (params, params[:1])),
        "kl, a parameter too many": (law.kl, (params, wide)),
    }
    for name, (method, given) in calls.items():
        try:
            value = method(*given)
        except ValueError:
            ledger.require(REFUSAL, True)
        else:
            shapes = [np.shape(x) for x in given]
            ledger.require(REFUSAL, False, method=name, shapes=shapes, returned=np.shape(value))


def _shape(law: Distribution, name: str, n_rows: int) -> tuple[int, ...]:
    if name in ("sample", "mode"):
        return (n_rows, *law.event_shape)
    return (n_rows, law.n_params) if name in ("score", "entropy_score") else (n_rows,)


def _same(a: Array, b: Array) -> bool:
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()
