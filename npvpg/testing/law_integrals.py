"""Expectations of a distribution: its density, entropy, divergence and scores agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvpg.distributions import Distribution
from npvpg.testing import differences
from npvpg.testing.outcomes import ROUNDING, Outcomes
from npvpg.testing.theorem import Ledger, Theorem

NORMALIZATION = Theorem("normalization", "Σₐ π(a) = 1")
EGLP = Theorem("EGLP", "E[∇ log π(a)] = 0")
FISHER = Theorem("Fisher identity", "E[∇ log π ∇ log πᵀ] = −E[∇² log π]")
INFORMATION = Theorem("Fisher information", "M v = E[∇ log π (∇ log πᵀ v)], where the law has it")
ENTROPY = Theorem("entropy", "H = −E[log π(a)]")
KL = Theorem("divergence", "D(p‖q) = E_p[log p(a) − log q(a)] ≥ 0, and 0 for equals")
MODE = Theorem("mode", "no action is more probable than the mode")

Array = NDArray[Any]


def integrals(
    ledger: Ledger,
    law: Distribution,
    params: Array,
    other: Array,
    outcomes: Callable[[Array], Outcomes],
    log_volume: Callable[[Array], Array],
) -> None:
    """
    Hold a law to its expectations over everything that can come of it.

    Parameters
    ----------
    ledger : Ledger
        Where errors go.
    law : Distribution
        The law.
    params, other : ndarray, shape (1, H)
        Parameters of p and of q.
    outcomes : callable
        Lists the actions, by `npvpg.testing.outcomes.lister`.
    log_volume : callable
        As `check_distribution` takes it.
    """
    told = {"params": params}
    out = outcomes(params)
    act, n = out.act, len(out.act)
    rows = np.repeat(params, n, axis=0)
    log_p = np.asarray(law.log_prob(rows, act))
    density = np.exp(log_p + log_volume(act))
    logs = np.where(density > 0, log_p, 0.0)
    total, allowed = out.expect(density, np.ones(n))
    # a rounding error of log p is one of p, relative to it
    allowed = allowed + ROUNDING * out.expect(density, np.abs(logs))[0]
    ledger.hold(NORMALIZATION, total - 1, allowed, **told)
    score = law.score(rows, act)
    mean, allowed = out.expect(density, score)
    ledger.hold(EGLP, mean, allowed, **told)
    _fisher(ledger, law, params, out, density, score)
    mean, allowed = out.expect(density, logs)
    ledger.hold(ENTROPY, law.entropy(params)[0] + mean, allowed, **told)
    told["other_params"] = other
    log_q = law.log_prob(np.repeat(other, n, axis=0), act)
    ratio = np.where((density > 0) & np.isfinite(log_q), logs - log_q, 0.0)
    mean, allowed = out.expect(density, ratio)
    allowed = allowed + ROUNDING * out.expect(density, np.abs(logs) + np.abs(ratio))[0]
    divergence = float(law.kl(params, other)[0])
    ledger.hold(KL, divergence - mean, allowed, **told)
    ledger.hold(KL, max(0.0, -divergence), ROUNDING, **told)
    ledger.hold(KL, law.kl(params, params), ROUNDING, params=params, other_params=params)
    _mode(ledger, law, params, act, log_p, log_volume)


def _fisher(
    ledger: Ledger, law: Distribution, params: Array, out: Outcomes, density: Array, score: Array
) -> None:
    """Second moments of the score against its mean slope, from complex steps or differences."""
    seen = density > density.max() * 1e-30
    act, size = out.act[seen], int(seen.sum())

    def at(x: Array) -> Array:
        return law.score(np.repeat(x[np.newaxis], size, axis=0), act)

    few = Outcomes(act, out.weight[seen], out.coarse[seen], ())
    hessian = differences.imaginary(at, params[0])
    loss: Any = 0.0
    if hessian is None:
        hessian, each = differences.central(at, params[0], n_operations=4 * (params.size + 4))
        loss = few.expect(density[seen], each)[0]
    products = score[seen, :, np.newaxis] * score[seen, np.newaxis, :]
    total, allowed = few.expect(density[seen], products + hessian)
    rounding = ROUNDING * few.expect(density[seen], np.abs(products) + np.abs(hessian))[0]
    ledger.hold(FISHER, total, allowed + rounding + loss, params=params)
    if type(law).fisher_product is not Distribution.fisher_product:
        every = np.eye(params.size)
        have = law.fisher_product(np.repeat(params, params.size, axis=0), every)
        moment, allowed = few.expect(density[seen], products)
        rounding = ROUNDING * few.expect(density[seen], np.abs(products))[0]
        ledger.hold(INFORMATION, have - moment, allowed + rounding, params=params)


def _mode(
    ledger: Ledger,
    law: Distribution,
    params: Array,
    act: Array,
    log_p: Array,
    log_volume: Callable[[Array], Array],
) -> None:
    """No listed action beats the mode."""
    mode = np.asarray(law.mode(params))
    at_mode = float((law.log_prob(params, mode) + log_volume(mode))[0])
    all_logs = log_p + log_volume(act)
    best = int(np.argmax(all_logs))
    excess = max(0.0, float(all_logs[best]) - at_mode)
    allowed = ROUNDING * (1 + abs(at_mode))
    ledger.hold(MODE, excess, allowed, params=params, mode=mode[0], better=act[best])
