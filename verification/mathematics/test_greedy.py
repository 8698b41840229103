"""B8 and C7: a policy that takes its mode more often is a mixture, and the mixture is scored."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from npvpg.batch import Batch
from npvpg.distributions import Categorical, GreedyCategorical
from npvpg.estimators import GAE, RewardToGo, TotalReturn
from npvpg.gradient import policy_gradient
from npvpg.mlp import MLP
from npvpg.policy import Policy
from verification.claims import claim, observe, require
from verification.mathematics.laws import outcomes
from verification.mathematics.strategies import SEED, UNIT
from verification.oracles import distributions as reference
from verification.oracles import mdp as exact
from verification.oracles.enumeration import ensemble

N_STRATA = 20_000
GREEDY = st.sampled_from([0.0, 0.1, 0.5, 0.999])
# estimators, and the discount of their weights that makes the gradient exact
WEIGHTS = [(TotalReturn(0.9), None), (RewardToGo(0.9), 0.9), (GAE(0.9, 0.5), 0.9)]


@claim(
    name="B8",
    title="Greedy mixture: the softmax, and the mode with a probability of its own",
    statement=r"\pi(a) = (1-\varepsilon)\,p_a + \varepsilon\,[a = a^*]",
    words="probability, entropy, divergence and sampler of the greedy mixture are its own",
    assumptions="finite logits; probability of the mode in [0, 1)",
    source="definition",
    method="sums over all actions; stratified noise",
    tolerance=1e-13,
    tolerance_reason="relative to the terms; 2/M for the sampler, M = 20000 strata",
    about=(
        "npvpg.distributions.softmax.log_mixture",
        "npvpg.distributions.greedy.GreedyCategorical",
        "npvpg.distributions.greedy.GreedyCategorical.sample",
        "npvpg.distributions.greedy.GreedyCategorical.log_prob",
        "npvpg.distributions.greedy.GreedyCategorical.entropy",
        "npvpg.distributions.greedy.GreedyCategorical.kl",
    ),
)
@given(st.integers(1, 6), GREEDY, st.sampled_from([0.0, 1.0, 8.0]), SEED)
@example(4, 0.5, 1.0, 0)
@example(3, 0.0, 1.0, 0)  # the softmax itself
@example(4, 0.1, 0.0, 0)  # all tied: the first is the mode
def test_mixture(n, greedy, scale, seed):
    rng = np.random.default_rng([150, seed])
    law = GreedyCategorical(Categorical(n), probability=greedy)
    z, other = scale * rng.standard_normal((2, 1, n))
    act, p = outcomes(law, z)
    _, q = outcomes(law, other)
    have = law.log_prob(np.repeat(z, n, 0), act)
    size = 1 + float(np.abs(np.log(p)).max() + np.abs(np.log(q)).max())
    observe(float(np.abs(have - np.log(p)).max()), 1e-13 * size)
    observe(abs(float(law.entropy(z)[0] - reference.entropy(p))), 1e-13 * size)
    want = float(reference.kl(p, q))
    observe(abs(float(law.kl(z, other)[0]) - want), 1e-13 * size)
    u = (np.arange(N_STRATA) + 0.5) / N_STRATA
    drawn = law.sample(np.repeat(z, N_STRATA, 0), u)
    share = np.bincount(drawn, minlength=n) / N_STRATA
    observe(float(np.abs(share - p).max()), 2 / N_STRATA)
    corners = law.sample(np.repeat(z, 2, 0), np.array([0.0, 1 - UNIT]))
    observe(float((p[corners] <= 0).sum()), 0)
    require(law.mode(z)[0] == z.argmax())


def _world(seed, greedy):
    """Every episode that a greedy mixture makes in a small process, and the gradient of its J."""
    rng = np.random.default_rng([151, seed])
    process = exact.random_mdp(rng, 2, 3, 3, 0.9)
    theta, eye = rng.standard_normal(2 * 3 + 3), np.eye(2)

    def table(t):
        logits = t[:6].reshape(2, 3) + t[6:]
        mode = np.eye(3)[logits.real.argmax(axis=1)]
        return (1 - greedy) * exact.softmax(logits) + greedy * mode

    flat = ensemble(process, table(theta))
    none_left = np.ones(len(flat.probability), bool)
    last = np.zeros((len(flat.probability), 2))
    batch = Batch(eye[flat.state], flat.act, flat.rew, flat.start, last, none_left)
    solved = exact.solve(process, table(theta))
    return theta, batch, flat, solved, exact.gradient(process, table, theta)


def _expected(law, world, estimator, discount):
    theta, batch, flat, solved, _ = world
    val, last_val = solved.V[flat.time, flat.state], np.zeros(batch.n_trajectories)
    psi = estimator(batch.rew, val, last_val, batch.start)
    weight = psi * flat.step_probability * batch.n_trajectories
    return policy_gradient(
        Policy(MLP((2, 3)), law).at(theta, batch.obs), batch, weight, discount=discount
    )


@claim(
    name="C7",
    title="The gradient of a greedy mixture takes the mixture's score",
    statement=r"\nabla J = E_\pi\Bigl[\sum_t\gamma^t\,\nabla\log\pi(a_t|s_t)\,\Phi_t\Bigr],\quad"
    r"\pi = (1-\varepsilon)\,p + \varepsilon\,[a = a^*]",
    words="played greedily more often than drawn, the mixture's own score gives the exact gradient",
    assumptions="no tie for the mode; exact time-indexed V where a weight needs one",
    source="policy gradient theorem, applied to the behaviour",
    method="enumeration of every trajectory; the gradient by complex step through induction",
    tolerance=1e-12,
    tolerance_reason="relative to the gradient; sums of some hundred terms",
    about=(
        "npvpg.distributions.greedy.GreedyCategorical.score",
        "npvpg.distributions.greedy.GreedyCategorical.log_prob",
    ),
)
@given(st.floats(0.0, 0.95), SEED, st.sampled_from(WEIGHTS))
@example(0.0, 0, WEIGHTS[0])
@example(0.3, 1, WEIGHTS[1])
@example(0.9, 2, WEIGHTS[2])
def test_gradient_of_the_mixture(greedy, seed, weighed):
    world = _world(seed, greedy)
    have = _expected(GreedyCategorical(Categorical(3), probability=greedy), world, *weighed)
    truth = world[-1]
    size = 1 + float(np.abs(truth).max())
    told = f"{greedy=} {seed=} {weighed}"
    observe(float(np.abs(have - truth).max()), 1e-12 * size, told)


def test_the_score_of_the_softmax_is_another_gradient() -> None:
    """Negative control: what most code does, mixing in the behaviour and not in the score."""
    world = _world(0, 0.3)
    truth = world[-1]
    wrong = _expected(Categorical(3), world, RewardToGo(0.9), 0.9)
    assert np.abs(wrong - truth).max() > 0.1 * np.abs(truth).max()
