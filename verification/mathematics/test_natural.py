"""K10 to K13: steps of a given length in the metric of the policies."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.algorithm import Turn
from npvpg.distributions import Bernoulli, Categorical, DiagonalGaussian, Distribution
from npvpg.estimators import RewardToGo
from npvpg.fisher import fisher_product
from npvpg.natural import LineSearch, NaturalStep, natural_gradient
from npvpg.optimizers import Linear
from npvpg.stages import Weigh
from npvpg.surrogate import surrogate_objective
from verification.claims import claim, observe, require
from verification.mathematics.lab import Case, Lab, Table, cases, laboratory, largest
from verification.mathematics.laws import MIXED
from verification.mathematics.stepping import LAW, drawn_batch
from verification.mathematics.strategies import SEED
from verification.oracles.derivatives import relative_error

TURN = Turn(seed=0, iteration=0, fraction=0.25)
WEIGH = Weigh(RewardToGo(0.9))


@claim(
    name="K10",
    title="The natural gradient, and the length that a divergence allows",
    statement=r"(F + cI)\,x = g, \quad \alpha = \sqrt{2\delta / x^\top(F + cI)x}, \qquad"
    r" \bar D(\pi_\theta\|\pi_{\theta + \alpha x}) = \delta + O(\delta^{3/2})",
    words="it solves the damped system, and its step moves the policy by the divergence asked for",
    assumptions="as many steps of conjugate gradients as parameters; a gradient that scores span",
    source="Kakade 2001; Schulman et al. 2015, appendix C",
    method="the dense matrix, column by column, and LAPACK; the measured divergence",
    tolerance=1e-6,
    tolerance_reason="relative; the condition of F + cI, whose c is at least 1e-3",
    about=("npvpg.natural.natural_gradient", "npvpg.fisher.fisher_product"),
)
@given(LAW, st.sampled_from([1e-3, 0.1, 1.0]), SEED)
@example(Categorical(3), 0.1, 0)
@example(MIXED, 1e-3, 0)
def test_natural_gradients(law, damping, seed):
    rng = np.random.default_rng([220, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    pi = policy.at(theta, batch.obs)
    F = np.array([fisher_product(pi, e) for e in np.eye(policy.size)])
    grad = pi.weighted_score(batch.act, psi)
    x = np.linalg.solve(F + damping * np.eye(policy.size), grad)
    have = natural_gradient(pi, grad, max_kl=0.02, damping=damping, cg_steps=4 * policy.size)
    observe(relative_error(have.direction, x), 1e-6, lambda: f"{law} {damping=} {seed=}")
    length = np.sqrt(2 * 0.02 / (x @ F @ x + damping * x @ x))
    observe(abs(have.lr / length - 1), 1e-6, lambda: f"{law} {damping=} {seed=}")


@claim("K10")
@given(LAW, SEED)
def test_the_divergence_is_what_was_asked_for(law, seed):
    """To second order, so for tiny steps; and no more than that if the metric is damped."""
    rng = np.random.default_rng([221, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    pi = policy.at(theta, batch.obs)
    grad = pi.weighted_score(batch.act, psi)
    for damping in (0.0, 0.1):
        there = natural_gradient(pi, grad, max_kl=1e-9, damping=damping, cg_steps=10)
        new = policy.at(theta + there.lr * there.direction, batch.obs)
        kl = float(pi.kl(new).mean()) / 1e-9
        observe(max(kl - 1, 0.0), 1e-2, lambda: f"{law} {seed=}")
        if damping == 0:
            observe(max(1 - kl, 0.0), 1e-2, lambda: f"{law} {seed=}")


@claim("K10")
def test_no_gradient_is_no_step():
    policy, theta, batch, _ = drawn_batch(Categorical(3), np.random.default_rng(0))
    pi = policy.at(theta, batch.obs)
    still = natural_gradient(pi, 0 * theta, max_kl=0.01, damping=0.1, cg_steps=10)
    require(still.lr == 0 and not still.direction.any())
    with pytest.raises(ValueError, match="grad must have shape"):
        natural_gradient(pi, theta[1:], max_kl=0.01, damping=0.1, cg_steps=10)
    with pytest.raises(ValueError, match="grad must be finite"):
        natural_gradient(pi, theta * np.nan, max_kl=0.01, damping=0.1, cg_steps=10)


def _same_policy(damping: float, seed: int, law: Distribution) -> tuple[Table, Table, Table]:
    """Logarithms after a natural step, after one of the same policy rewritten, and before both."""
    rng = np.random.default_rng([222, seed])
    policy, theta, batch, psi = drawn_batch(law, rng, hidden=())
    basis = np.array([[1.0, 0.8], [-0.5, 2.0]])
    m = policy.network.sizes[1]
    phi = theta.copy()  # theta = L phi: the weights of phi are the inverse basis times those
    phi[: 2 * m] = np.linalg.solve(basis, theta[: 2 * m].reshape(2, m)).ravel()
    after: list[Table] = []
    for at, obs in ((theta, batch.obs), (phi, batch.obs @ basis)):
        pi = policy.at(at, obs)
        grad = pi.weighted_score(batch.act, psi)
        step = natural_gradient(pi, grad, max_kl=0.05, damping=damping, cg_steps=60)
        new = policy.at(at + step.lr * step.direction, obs)
        after.append(new.log_prob(batch.act))
    return after[0], after[1], policy.at(theta, batch.obs).log_prob(batch.act)


@claim(
    name="K11",
    title="A natural step does not depend on how the policy is written down",
    statement=r"\theta = L\phi: \qquad \pi_{\theta + \Delta\theta} = \pi_{L(\phi + \Delta\phi)}",
    words="a linear change of the parameters leaves the next policy as it is",
    assumptions="no damping; a linear change of parameters",
    source="Kakade 2001; Amari 1998",
    method="observations in another basis, and the weights that make the same policy of them",
    tolerance=1e-6,
    tolerance_reason="of logarithms; the condition of the singular system",
    about=("npvpg.natural.natural_gradient",),
)
@given(st.sampled_from([Categorical(3), Bernoulli(2), DiagonalGaussian(1)]), SEED)
@example(Categorical(3), 0)
def test_invariance(law, seed):
    one, other, before = _same_policy(0.0, seed, law)
    observe(largest(one - other), 1e-6 * (1 + largest(before)), lambda: f"{law} {seed=}")
    require(largest(one - before) > 1e-3, "a step was made")


def test_damping_and_plain_gradients_depend_on_it() -> None:
    """Negative control: what is added to the diagonal means other things in other parameters."""
    for seed in range(3):
        one, other, _ = _same_policy(1.0, seed, Categorical(3))
        assert largest(one - other) > 1e-4


def _certified(case: Case, max_kl: float) -> tuple[Lab, Lab, float, float, float]:
    """Old and new laboratory of a TRPO step on all episodes; surrogate, divergence, constant."""
    lab = case.lab
    flat, batch = lab.flat, lab.batch
    advantage = lab.solved.A[flat.time, flat.state, flat.act]
    psi = advantage * flat.step_probability * batch.n_trajectories
    pi = lab.policy.at(lab.theta, batch.obs)
    weigh = Weigh(RewardToGo(case.gamma), discount_weights=True)
    step = NaturalStep(Linear(max_kl, max_kl), damping=1e-3, search=LineSearch())
    theta = step(lab.theta, pi, batch, psi, weigh, step.init(lab.theta), TURN).theta
    new = lab.policy.at(theta, batch.obs)
    log_prob = pi.log_prob(batch.act)
    gain = surrogate_objective(new, batch, psi, log_prob, discount=case.gamma)
    states = np.eye(lab.process.n_states)
    kl = lab.policy.at(lab.theta, states).kl(lab.policy.at(theta, states))
    power = case.gamma ** np.arange(case.horizon) * np.arange(case.horizon)
    constant = 4 * largest(lab.solved.A) * float(power.sum())
    return lab, laboratory(lab.process, theta), float(gain), float(kl.max()), constant


@claim(
    name="K12",
    title="Improvement that is certain",
    statement=r"J(\theta') - J(\theta) \ge L(\theta') - C \max_s D(\pi_\theta\|\pi_{\theta'}),"
    r" \qquad C = 4\max|A| \sum_{t<H} t\gamma^t \le \frac{4\gamma\max|A|}{(1-\gamma)^2}",
    words="after a step of TRPO the objective is at least the surrogate less the theorem's penalty",
    assumptions="exact advantages, expectations over all episodes",
    source="Schulman et al. 2015, theorem 1, its sum over time cut at the horizon",
    method="enumeration; both objectives by backward induction",
    tolerance=1e-12,
    tolerance_reason="relative to one and the largest value",
    about=(
        "npvpg.natural.NaturalStep",
        "npvpg.surrogate.surrogate_objective",
        "npvpg.policy.PolicyAt.kl",
    ),
)
@given(cases(), st.sampled_from([1e-6, 1e-3, 0.1, 1.0]))
@example(Case(), 1e-6)
@example(Case(gamma=1.0, horizon=3), 0.1)
def test_monotone_improvement(case, max_kl):
    lab, new, gain, kl, constant = _certified(case, max_kl)
    size = 1e-12 * max(lab.size, new.size)
    certain, gained = gain - constant * kl, float(new.solved.J - lab.solved.J)
    observe(max(certain - gained, 0.0), size, lambda: f"{case} {max_kl=}")
    # the other side of the same theorem, and what a search for a higher surrogate finds
    observe(max(gained - gain - constant * kl, 0.0), size, lambda: f"{case} {max_kl=}")
    require(gain >= -size, lambda: f"{case} {max_kl=}")


@claim("K12")
@given(cases(gamma=st.sampled_from([0.5, 0.9])))
@example(Case())
def test_small_steps_are_certain_to_gain(case):
    """Where there is a gradient, a step small enough has a surrogate beyond its penalty."""
    lab, new, gain, kl, constant = _certified(case, 1e-10)
    if largest(lab.truth) > 1e-2:
        require(gain > constant * kl, lambda: f"{case}")
        require(new.solved.J > lab.solved.J, lambda: f"{case}")


@claim(
    name="K13",
    title="The line search of TRPO",
    statement=r"\theta_{k+1} = \theta_k + \eta^j\alpha x, \quad j = \min\{j :"
    r" \hat L(\eta^j) > \hat L(0),\ \bar D(\eta^j) \le \delta\}",
    words="the first shorter step that gains within the bound is taken, or none; natural takes it",
    assumptions="none",
    source="Schulman et al. 2015, appendix C; Achiam 2018",
    method="every step tried, with objective and divergence by sums over per-step numbers",
    tolerance=1e-12,
    tolerance_reason="relative to the parameters; where two sides differ by more than rounding",
    about=(
        "npvpg.natural.NaturalStep",
        "npvpg.natural.LineSearch",
        "npvpg.stages.policy_step.PolicyStage.objective",
        "npvpg.stages.policy_step.PolicyStage.gradient",
    ),
)
@given(LAW, st.sampled_from([0.01, 1.0, 30.0]), st.booleans(), st.booleans(), SEED)
@example(Categorical(3), 30.0, False, False, 0)
@example(MIXED, 1.0, True, True, 0)
def test_line_search(law, scale, per_step, bonus, seed):
    rng = np.random.default_rng([223, seed])
    policy, theta, batch, psi = drawn_batch(law, rng)
    pi = policy.at(theta, batch.obs)
    weigh = Weigh(RewardToGo(0.9), per_step=per_step)
    beta = 0.3 if bonus else 0.0
    search, bound = LineSearch(6, 0.5), Linear(0.0, 4 * scale)
    count = batch.n_steps if per_step else batch.n_trajectories
    made = {
        name: NaturalStep(bound, 0.1, 8, how, beta)
        for name, how in (("natural", None), ("trpo", search))
    }
    have = {
        name: step(theta, pi, batch, psi, weigh, step.init(theta), TURN)
        for name, step in made.items()
    }
    grad = (psi @ pi.score(batch.act) + beta * pi.weighted_entropy_score(np.ones(12))) / count
    observe(relative_error(have["trpo"].grad, grad), 1e-12, lambda: f"{law} {seed=}")
    grad = have["trpo"].grad  # to the bit, as conjugate gradients make more of the last digits
    x, lr = natural_gradient(pi, grad, max_kl=scale, damping=0.1, cg_steps=8)
    observe(relative_error(have["natural"].theta, theta + lr * x), 1e-12, lambda: f"{law} {seed=}")
    observe(abs(have["natural"].lr - lr), 1e-12 * lr)

    def judge(factor: float) -> tuple[float, float]:
        new = policy.at(theta + factor * lr * x, batch.obs)
        ratio = np.exp(new.log_prob(batch.act) - pi.log_prob(batch.act))
        gain = ((ratio - 1) * psi).sum() + beta * (new.entropy() - pi.entropy()).sum()
        return float(gain / count), float(pi.kl(new).mean())

    judged = [(f, *judge(f)) for f in 0.5 ** np.arange(6)]
    if any(abs(g) < 1e-12 or abs(kl / scale - 1) < 1e-9 for _, g, kl in judged):
        return  # a tie, which rounding may break either way
    taken = next((f for f, gain, kl in judged if gain > 0 and kl <= scale), 0.0)
    observe(relative_error(have["trpo"].theta, theta + taken * lr * x), 1e-12, f"{law} {seed=}")
    observe(abs(have["trpo"].lr - taken * lr), 1e-12 * lr)
    require(have["trpo"].memory.n_made == 1)


@claim("K13")
def test_every_end_of_the_search_is_among_them():
    """Full steps, shorter ones and none at all: the search is tried where it matters."""
    ends = set()
    for seed, scale in product(range(12), (0.01, 30.0)):
        policy, theta, batch, psi = drawn_batch(Categorical(3), np.random.default_rng([224, seed]))
        pi = policy.at(theta, batch.obs)
        step = NaturalStep(Linear(scale, scale), 1e-3, 10, LineSearch(2, 0.5))
        full = NaturalStep(Linear(scale, scale), 1e-3, 10)
        made = [s(theta, pi, batch, psi, WEIGH, s.init(theta), TURN) for s in (step, full)]
        part = round(made[0].lr / made[1].lr, 6)
        moved = part * (made[1].theta - theta)
        observe(largest(made[0].theta - theta - moved), 1e-9 * (1 + largest(moved)), f"{seed=}")
        ends.add(part)
    require(ends == {0.0, 0.5, 1.0}, f"{ends}")
    with pytest.raises(ValueError, match="backtracks must be at least 1, got 0"):
        LineSearch(0)
    with pytest.raises(ValueError, match=r"shrink must lie in \(0, 1\), got 1"):
        LineSearch(3, 1.0)
