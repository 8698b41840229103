"""
Vanilla policy gradient in one file: NumPy and Gymnasium, nothing else, and every derivation.

The library does the same with more choices; θ and φ are the library's, bit for bit (claim L1).
Run it: python examples/from_scratch.py [updates] [seed]
"""

import sys

import gymnasium
import numpy as np

GAMMA, LAMBDA, POLICY_LR, VALUE_LR, PASSES, K = 0.99, 0.95, 0.01, 0.01, 5, 4
POLICY, VALUE = (4, 32, 2), (4, 32, 1)  # inputs, hidden units, outputs


# 1. A network y = tanh(x W1 + b1) W2 + b2. All parameters are one flat vector.
def unpack(vector, sizes):
    (n, h, m), at = sizes, np.cumsum([sizes[0] * sizes[1], sizes[1], sizes[1] * sizes[2]])
    w1, b1, w2, b2 = np.split(vector, at)
    return w1.reshape(n, h), b1, w2.reshape(h, m), b2


def forward(weights, x):
    w1, b1, w2, b2 = weights
    h = np.tanh(x @ w1 + b1)
    return h, h @ w2 + b2


# 2. Its derivative. If C depends on the outputs by d = ∂C/∂y, a row a sample, the chain rule gives
#    ∂C/∂W2 = hᵀd and ∂C/∂b2 = Σ d. Before the tanh stands d W2ᵀ ⊙ (1 − h²), as tanh' = 1 − tanh²,
#    and from there on the first layer is like the second.
def backward(weights, x, h, d):
    w2 = weights[2]
    d1 = d * w2.T if w2.shape[1] == 1 else d @ w2.T
    d1 *= 1 - h * h
    ones = np.ones(len(d))
    return np.concatenate([(x.T @ d1).ravel(), ones @ d1, (h.T @ d).ravel(), ones @ d])


# 3. Orthogonal initial matrices: hidden layers times √2, the last one times `last`; no bias.
def initial(sizes, rng, last):
    parts = []
    for n, m, gain in ((*sizes[:2], np.sqrt(2)), (*sizes[1:], last)):
        q, r = np.linalg.qr(rng.standard_normal((max(n, m), min(n, m))))
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        parts += [(q if n >= m else q.T).ravel() * gain, np.zeros(m)]
    return np.concatenate(parts)


# 4. The policy: π(a|s) = exp(z_a) / Σ_b exp(z_b), a softmax of the outputs. A shift of all z by
#    the largest changes nothing and lets nothing overflow. One row an action, one column a step.
def log_softmax(z):
    z = z.T.copy()
    z -= z.max(axis=0)
    return z - np.log(np.exp(z).sum(axis=0))


# 5. An action from a uniform number u: the first a with u Σ_b exp(z_b) < Σ_{b ≤ a} exp(z_b).
def draw(z, u):
    total = np.cumsum(np.exp(z - z.max()))
    return int(np.argmax(total > u * total[-1]))


# 6. Everything random has a stream with a key of its own, so that nothing depends on an order.
def stream(seed, *key):
    return np.random.SeedSequence(seed, spawn_key=key)


# 7. A batch: K environments, the next whole episode of each. To take the first K that end instead
#    would favour short ones, and these are not a fair sample of what the policy does.
def collect(envs, theta, seed, k):
    obs, act, rew, last, terminated, start = [], [], [], [], [], [0]
    weights = unpack(theta, POLICY)
    for i, env in enumerate(envs):
        noise = np.random.default_rng(stream(seed, 3, k, i))
        s, _ = env.reset(seed=int(stream(seed, 2, i, k).generate_state(1, np.uint64)[0] >> 33))
        ended = truncated = False
        while not (ended or truncated):
            z = forward(weights, s[None].astype(float))[1][0]
            a = draw(z, noise.random())
            obs.append(s), act.append(a)
            s, r, ended, truncated, _ = env.step(a)
            rew.append(float(r))
        last.append(s), terminated.append(ended), start.append(len(rew))
    return np.array(obs, float), act, rew, np.array(last, float), terminated, start


# 8. The weight of a step: with δ_t = r_t + γ V(s_{t+1}) − V(s_t) it is Â_t = Σ_l (γλ)^l δ_{t+l},
#    from the last step backwards. V of a state that terminated is 0; of one that a time limit
#    cut off it is not, as there would have been more.
def advantages(rew, val, last_val, start):
    adv = np.empty(len(rew))
    for k in range(K):
        following, trace = last_val[k], 0.0
        for t in range(start[k + 1] - 1, start[k] - 1, -1):
            trace = rew[t] + GAMMA * following - val[t] + GAMMA * LAMBDA * trace
            adv[t], following = trace, val[t]
    return adv


# 9. The gradient of J(θ) = E[R(τ)]. As ∇P(τ) = P(τ) ∇log P(τ), and as neither the first state nor
#    the dynamics know θ, ∇J = E[Σ_t ∇log π(a_t|s_t) R(τ)]. An action changes no reward before it,
#    and E[∇log π(a|s)] = 0 lets every function of s_t be subtracted: Â_t serves for R(τ). The mean
#    over K episodes estimates it. Of a softmax, ∂log π(a)/∂z_b = [a = b] − π(b).
def policy_gradient(theta, obs, act, weight):
    weights = unpack(theta, POLICY)
    h, z = forward(weights, obs)
    score = -np.exp(log_softmax(z)).T
    score[np.arange(len(act)), act] += 1
    return backward(weights, obs, h, score * (weight / K)[:, None])


# 10. V descends half the mean squared error to y_t = Â_t + V(s_t): the gradient is the mean of
#     (V − y) ∇V. The target stays what it was.
def value_gradient(phi, obs, target):
    h, v = forward(unpack(phi, VALUE), obs)
    return backward(unpack(phi, VALUE), obs, h, (v - target[:, None]) / len(v))


# 11. Adam, uphill: the mean of the gradient over the root of its mean square, both corrected for
#     having begun at 0.
def adam(vector, grad, memory, lr):
    m, v, n = memory
    m, v, n = 0.9 * m + (1 - 0.9) * grad, 0.999 * v + (1 - 0.999) * (grad * grad), n + 1
    step = lr / (1 - 0.9**n)
    return vector + step * (m / (np.sqrt(v / (1 - 0.999**n)) + 1e-8)), (m, v, n)


def train(updates=60, seed=0, report=print):
    envs = [gymnasium.make("CartPole-v1", disable_env_checker=True) for _ in range(K)]
    theta = initial(POLICY, np.random.default_rng(stream(seed, 0)), 0.01)
    phi = initial(VALUE, np.random.default_rng(stream(seed, 1)), 1.0)
    of_theta, of_phi = (0 * theta, 0 * theta, 0), (0 * phi, 0 * phi, 0)
    for k in range(updates):
        obs, act, rew, last, terminated, start = collect(envs, theta, seed, k)
        val, last_val = (forward(unpack(phi, VALUE), x)[1][:, 0] for x in (obs, last))
        last_val = np.where(terminated, 0, last_val)
        adv = advantages(rew, val, last_val, start)
        grad = policy_gradient(theta, obs, act, adv)
        for _ in range(PASSES):
            down = -value_gradient(phi, obs, adv + val)
            phi, of_phi = adam(phi, down, of_phi, VALUE_LR)
        theta, of_theta = adam(theta, grad, of_theta, POLICY_LR)
        report(f"update {k:3d}: mean return {len(rew) / K:5.1f}")
    return theta, phi


if __name__ == "__main__":
    train(*map(int, sys.argv[1:]))
