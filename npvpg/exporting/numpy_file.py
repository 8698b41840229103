"""A policy as one Python file that needs NumPy alone."""

from collections.abc import Iterator

import numpy as np
from gymnasium import spaces

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN
from npvpg.exporting.form import Form, Leaf
from npvpg.exporting.source import array, head, literal, nested, quoted

_CHOOSE = '''

def choose(logits, rng):
    """Give the most probable choice, or a draw."""
    if rng is None:
        return logits.argmax(axis=-1)
    p = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    below = np.cumsum(p, axis=-1)
    u = rng.random(logits.shape[:-1])[..., np.newaxis]
    return (below <= u * below[..., -1:]).sum(axis=-1)'''

_MIXED = '''

def mixed(logits):
    """Take the most probable choice more often, with probability GREEDY in place of a draw."""
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    best = np.arange(p.shape[-1]) == logits.argmax(axis=-1)[..., np.newaxis]
    with np.errstate(divide="ignore"):
        return np.log((1 - GREEDY) * p + GREEDY * best).astype(logits.dtype)'''

_FLIP = '''

def flip(logits, rng):
    """Give the most probable bits, or a draw."""
    if rng is None:
        return logits > 0
    return rng.random(logits.shape) < 1 / (1 + np.exp(-logits.astype(np.float64)))'''

_DRAW = '''

def draw(mean, log_sigma, rng):
    """Give the mean, or a draw."""
    if rng is None:
        return mean
    return (mean + np.exp(log_sigma) * rng.standard_normal(mean.shape)).astype(mean.dtype)'''

_READ = '''

def _read(dtype, shape, text):
    """Read an array."""
    values = np.frombuffer(base64.b64decode(text), np.dtype(dtype).newbyteorder("<"))
    return values.reshape(shape).astype(dtype)

'''


def dumps(policy: Form) -> str:
    """
    Write a policy as a Python file that needs NumPy alone.

    Parameters
    ----------
    policy : Form
        The policy.

    Returns
    -------
    str
        The source: ``act(obs)`` gives the most probable action, ``act(obs, rng)`` a draw, and
        ``params(obs)`` the parameters of the distribution.
    """
    use = (
        "import numpy as np",
        "import policy  # this file, under its name",
        "",
        "policy.act(obs)  # the most probable action",
        "policy.act(obs, np.random.default_rng(0))  # a draw",
        "policy.params(obs)  # of the distribution of actions",
    )
    kinds = {type(leaf.space) for leaf in policy.leaves}
    functions = [
        *[_CHOOSE] * bool(kinds & {spaces.Discrete, spaces.MultiDiscrete}),
        *[_MIXED] * bool(policy.greedy),
        *[_FLIP] * (spaces.MultiBinary in kinds),
        *[_DRAW] * (spaces.Box in kinds),
    ]
    names = [f"a{k}" for k in range(len(policy.leaves))]
    lines = [
        head(policy, "NumPy alone", use),
        "\nimport base64\n\nimport numpy as np\n\n",
        "def params(obs):",
        '    """Give the parameters of the distribution of actions, by name."""',
        *(f"    {line}" for line in _params(policy)),
        "\n",
        "def act(obs, rng=None):",
        '    """Give the most probable action, or a draw by a numpy.random.Generator."""',
        "    p = params(obs)",
        *(
            f"    {line}"
            for name, leaf in zip(names, policy.leaves, strict=True)
            for line in _act(name, leaf)
        ),
        f"    return {nested(policy.act_space, iter(names))}",
        *functions,
        _READ,
    ]
    lines += [f"GREEDY = {policy.greedy!r}"] * bool(policy.greedy)
    if policy.moments is not None:
        lines += [
            array(*pair, "_read") for pair in zip(("MEAN", "SCALE"), policy.moments, strict=True)
        ]
    for k, (weight, bias) in enumerate(policy.folded):
        lines += [array(f"WEIGHT_{k}", weight, "_read"), array(f"BIAS_{k}", bias, "_read")]
    return "\n".join(lines) + "\n"


def _params(policy: Form) -> Iterator[str]:
    """From observations to the parameters."""
    yield "x = np.asarray(obs, np.float64)"
    if policy.moments is not None:
        yield f"x = np.clip((x - MEAN) * SCALE, -{policy.bound}, {policy.bound})"
    yield f"x = x.astype(np.{policy.dtype.name})"
    last = len(policy.layers) - 1
    around = "np.tanh({})" if policy.activation == "tanh" else "np.maximum({}, 0)"
    for k in range(last):
        yield "x = " + around.format(f"x @ WEIGHT_{k} + BIAS_{k}")
    yield f"x = x @ WEIGHT_{last} + BIAS_{last}"
    yield "return {"
    for part in policy.parts:
        value = f"x[..., {part.columns.start}:{part.columns.stop}]"
        if part.kind == "log_sigma":
            value = f"np.clip({value}, {LOG_SIGMA_MIN}, {LOG_SIGMA_MAX})"
        elif policy.greedy:
            value = f"mixed({value})"
        if part.origin is not None and part.unit is not None:
            offset, factor = literal(part.origin, "np"), literal(part.unit, "np")
            if part.kind == "log_sigma":
                value = f"({value} + np.log({factor})).astype(x.dtype)"
            else:
                value = f"({offset} + {factor} * {value}).astype(x.dtype)"
        yield f"    {quoted(part.name)}: {value},"
    yield "}"


def _act(name: str, leaf: Leaf) -> Iterator[str]:
    """From the parameters to one leaf of the action."""
    values = [f"p[{quoted(part.name)}]" for part in leaf.parts]
    space = leaf.space
    if isinstance(space, spaces.Discrete):
        yield f"{name} = choose({values[0]}, rng) + {int(space.start)}"
        return
    if isinstance(space, spaces.MultiBinary):
        yield f"{name} = flip({values[0]}, rng)"
    elif isinstance(space, spaces.MultiDiscrete):
        chosen = ", ".join(f"choose({value}, rng)" for value in values)
        yield f"{name} = np.stack([{chosen}], axis=-1) + {space.start.ravel().tolist()}"
    else:
        assert isinstance(space, spaces.Box)
        yield f"{name} = draw({', '.join(values)}, rng)"
        if leaf.squashed:
            centre, half = literal(leaf.centre, "np"), literal(leaf.half_width, "np")
            yield f"{name} = {centre} + {half} * np.tanh({name}.astype(np.float64))"
        else:
            yield f"{name} = {name}.astype(np.float64)"
        if space.dtype.kind != "f":
            yield f"{name} = np.rint({name})"
        low, high = (literal(end, "np") for end in leaf.bounds)
        if np.isfinite(leaf.bounds).any():
            yield f"{name} = np.clip({name}, {low}, {high})"
    shape = ", ".join(map(str, space.shape or ())) + "," * (len(space.shape or ()) == 1)
    yield f"{name} = {name}.reshape({name}.shape[:-1] + ({shape})).astype(np.{space.dtype})"
