"""The claims about a policy, for a network and a distribution of one's own."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvpg.policy import Policy, PolicyAt
from npvpg.testing import differences
from npvpg.testing.outcomes import ROUNDING, Outcomes, Support, is_sampled, lister
from npvpg.testing.search import need, search
from npvpg.testing.theorem import Ledger, Margin, Theorem

SHAPES = Theorem("shapes", "theta (P,); log_prob, entropy and kl (S,), score (S, P)")
SCORE = Theorem("score", "score = ∂ log π_θ(a|s) / ∂θ, through the network")
WEIGHTED = Theorem("weighted score", "weighted_score(act, w) = Σₜ wₜ score(act)ₜ, linear in w")
ENTROPY = Theorem("entropy score", "weighted_entropy_score(w) = ∂ Σₜ wₜ H(π_θ(·|sₜ)) / ∂θ")
ROWS = Theorem("rows", "what is said of an observation depends on it alone")
ACTING = Theorem("acting", "Policy.params, which acts, gives what Policy.at gives")
EGLP = Theorem("EGLP", "E_{a~π}[∇_θ log π_θ(a|s)] = 0")
KL = Theorem("divergence", "kl = E_π[log π − log π'] ≥ 0, and 0 for equals")

MOST_COLUMNS = 200
Array = NDArray[Any]


class _Given(NamedTuple):
    """A policy at observations, with actions and weights."""

    theta: Array
    other: Array
    obs: Array
    act: Array
    weight: Array
    seed: int
    scale: float

    @property
    def told(self) -> dict[str, Any]:
        return {
            "theta": self.theta,
            "obs": self.obs,
            "act": self.act,
            "drawn with": f"seed {self.seed}, scale {self.scale:g}",
        }


def check_policy(
    policy: Policy,
    *,
    support: Support = None,
    log_volume: Callable[[Array], Array] | None = None,
    max_examples: int = 30,
) -> dict[Theorem, Margin]:
    """
    Hold a policy to what the library claims of its own.

    Parameters
    ----------
    policy : Policy
        The policy; with a network of a few units the check takes seconds.
    support, log_volume : optional
        What can come of its distribution, as `check_distribution` takes it.
    max_examples : int
        Parameters and observations that are tried.

    Returns
    -------
    dict of Theorem to Margin
        How close each came to failing.

    Raises
    ------
    TheoremError
        Of the first theorem that breaks, with the smallest input found.
    ImportError
        If hypothesis is missing.

    Notes
    -----
    Derivatives are compared with central differences in 200 parameters at most, chosen by the
    seed; those within reach of a kink of ReLU are left out. Expectations are sums or quadrature,
    and are left out where the actions can be neither listed nor put on a grid.

    Examples
    --------
    >>> from npvpg.distributions import Categorical
    >>> from npvpg.mlp import MLP
    >>> margins = check_policy(Policy(MLP((2, 3, 2)), Categorical(2)), max_examples=5)
    >>> max(margin.ratio for margin in margins.values()) <= 1
    True
    """
    st = need("hypothesis.strategies")
    ledger = Ledger(str(policy))
    law = policy.distribution
    listed = None if is_sampled(law, support) else lister(law, support)
    volume = log_volume or (lambda act: np.zeros(len(act)))

    def holds(drawn: tuple[int, int, float]) -> None:
        given = _filled(policy, *drawn)
        _form(ledger, policy, given)
        _slopes(ledger, policy, given)
        if listed is not None:
            _expectations(ledger, policy, given, listed, volume)

    scale = st.sampled_from([0.1, 1.0])
    search(st.tuples(st.integers(1, 3), st.integers(0, 999), scale), holds, max_examples)
    return ledger.margins


def _filled(policy: Policy, n_rows: int, seed: int, scale: float) -> _Given:
    rng = np.random.default_rng(seed)
    width = math.sqrt(max(policy.network.sizes))
    theta, other = (
        policy.init(rng) + scale / width * rng.standard_normal(policy.size) for _ in range(2)
    )
    obs = rng.standard_normal((n_rows, policy.n_obs))
    act = policy.at(theta, obs).sample(policy.noise(rng, n_rows))
    return _Given(theta, other, obs, act, rng.standard_normal(n_rows), seed, scale)


def _form(ledger: Ledger, policy: Policy, given: _Given) -> None:
    """Shapes, weights, rows, and the way of acting."""
    theta, obs, act, weight = given.theta, given.obs, given.act, given.weight
    pi, n_rows = policy.at(theta, obs), len(obs)
    score = pi.score(act)
    values = {"log_prob": pi.log_prob(act), "entropy": pi.entropy(), "score": score}
    values["kl"] = pi.kl(policy.at(given.other, obs))
    for name, value in values.items():
        shape = (n_rows, policy.size) if name == "score" else (n_rows,)
        ledger.require(SHAPES, value.shape == shape, method=name, shape=value.shape, **given.told)
    weighted = pi.weighted_score(act, weight)
    size = np.abs(weight) @ np.abs(score)
    top = ROUNDING * float(size.max(initial=1e-300))
    ledger.hold(WEIGHTED, weighted - weight @ score, top, weight=weight, **given.told)
    nearby = policy.at(theta * (1 + 2.0**-33), obs)
    moved = {"log_prob": nearby.log_prob(act), "entropy": nearby.entropy()}
    moved["score"] = nearby.score(act)
    for i in range(n_rows):
        alone = policy.at(theta, obs[i : i + 1])
        one = {"log_prob": alone.log_prob(act[i : i + 1]), "entropy": alone.entropy()}
        one["score"] = alone.score(act[i : i + 1])
        for name, value in one.items():
            # rounding is as large as what a change of the parameters' last digits makes
            lost = 2.0**-14 * float(np.abs(moved[name][i] - values[name][i]).max())
            allowed = ROUNDING * (1 + float(np.abs(values[name][i]).max())) + lost
            ledger.hold(ROWS, values[name][i] - value[0], allowed, method=name, row=i, **given.told)
    acting = policy.params(theta, obs)
    allowed = ROUNDING * (1 + np.abs(pi.params))
    ledger.hold(ACTING, acting - pi.params, allowed, **given.told)


def _slopes(ledger: Ledger, policy: Policy, given: _Given) -> None:
    """Both scores against central differences, away from kinks."""
    theta, obs, act, weight = given.theta, given.obs, given.act, given.weight
    columns = np.arange(policy.size)
    if policy.size > MOST_COLUMNS:
        chosen = np.random.default_rng(given.seed).permutation(policy.size)[: MOST_COLUMNS - 8]
        columns = np.union1d(chosen, columns[-8:])  # the free ones are the last
    pi = policy.at(theta, obs)
    for theorem, gradient, f in (
        (SCORE, pi.score(act), lambda x: policy.at(x, obs).log_prob(act)),
        (
            ENTROPY,
            pi.weighted_entropy_score(weight),
            lambda x: weight @ policy.at(x, obs).entropy(),
        ),
    ):
        slope, allowed = differences.central(
            f,
            theta,
            n_operations=operations(policy),
            columns=columns,
            bends=lambda x, y: pattern(policy, x, obs) != pattern(policy, y, obs),
        )
        ledger.hold(theorem, gradient[..., columns] - slope, allowed, weight=weight, **given.told)


def operations(policy: Policy) -> int:
    """
    Operations in a row of a log-probability: products and sums of every layer, then the law.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    int
        Their number.
    """
    layers = sum(2 * n_in + 4 for n_in, _ in pairwise(policy.network.sizes))
    return layers + 4 * (policy.distribution.n_params + 4)


def pattern(policy: Policy, theta: Array, obs: Array) -> bytes:
    """
    Which units of a ReLU network are on: between two parameters that agree there is no kink.

    Parameters
    ----------
    policy : Policy
        The policy.
    theta : ndarray, shape (P,)
        Parameters.
    obs : ndarray, shape (S, O)
        Observations.

    Returns
    -------
    bytes
        The pattern; empty for tanh, which has no kink.
    """
    if policy.network.activation != "relu":
        return b""
    return b"".join((h > 0).tobytes() for h in policy.at(theta, obs).layers[1:-1])


def _expectations(
    ledger: Ledger,
    policy: Policy,
    given: _Given,
    listed: Callable[[Array], Outcomes],
    log_volume: Callable[[Array], Array],
) -> None:
    """The expected score, and the divergence, at the first observation."""
    obs = given.obs[:1]
    out = listed(policy.at(given.theta, obs).params)
    log_p = policy.distribution.log_prob(
        np.repeat(policy.at(given.theta, obs).params, len(out.act), axis=0), out.act
    )
    density = np.exp(log_p + log_volume(out.act))
    mass = out.weight * density
    seen = mass > mass.max() * 1e-20
    few = Outcomes(out.act[seen], out.weight[seen], out.coarse[seen], ())
    rows = np.repeat(obs, len(few.act), axis=0)
    pi = policy.at(given.theta, rows)
    mean, allowed = few.expect(density[seen], pi.score(few.act))
    told = {key: value for key, value in given.told.items() if key != "act"}
    ledger.hold(EGLP, mean, np.maximum(allowed, allowed.max() * 1e-3), **told)
    ours, other = pi.log_prob(few.act), policy.at(given.other, rows)
    ratio = ours - other.log_prob(few.act)
    mean, allowed = few.expect(density[seen], ratio)
    allowed = allowed + ROUNDING * few.expect(density[seen], np.abs(ours) + np.abs(ratio))[0]
    divergence = _first(policy, given, given.other)
    ledger.hold(KL, divergence - mean, allowed, other_theta=given.other, **told)
    ledger.hold(KL, max(0.0, -divergence), ROUNDING, other_theta=given.other, **told)
    ledger.hold(KL, _first(policy, given, given.theta), ROUNDING, **told)


def _first(policy: Policy, given: _Given, other: Array) -> float:
    """Divergence to other parameters at the first observation."""
    pi: PolicyAt = policy.at(given.theta, given.obs[:1])
    return float(pi.kl(policy.at(other, given.obs[:1]))[0])
