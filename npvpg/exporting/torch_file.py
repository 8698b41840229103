"""A policy as one Python file with a module of PyTorch, which can be trained further."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from gymnasium import spaces

from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN
from npvpg.exporting.form import Form, Leaf
from npvpg.exporting.source import array, head, literal, nested, quoted

_READ = '''

def _read(dtype, shape, text):
    """Read an array."""
    values = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=getattr(torch, dtype))
    return values.reshape(shape)


STATE = {}'''


def dumps(policy: Form) -> str:
    """
    Write a policy as a Python file with a module of PyTorch.

    Parameters
    ----------
    policy : Form
        The policy.

    Returns
    -------
    str
        The source: ``Policy()`` is the module with its weights, ``policy.distribution(obs)`` is of
        `torch.distributions`, and ``policy.act(obs)`` draws from it.
    """
    use = (
        "from policy_torch import Policy  # this file, under its name",
        "",
        "policy = Policy()  # a torch.nn.Module; policy.state_dict() holds its weights",
        "policy.act(obs)  # a draw",
        "policy.act(obs, greedy=True)  # the most probable action",
        "policy.distribution(obs).log_prob(...)  # of torch.distributions, to train it further",
    )
    names = [f"a{k}" for k in range(len(policy.leaves))]
    lines = [
        head(policy, "PyTorch alone", use),
        "\nimport base64\n\nimport torch\nfrom torch import distributions, nn\n\n",
        "class Policy(nn.Module):",
        '    """Normaliser, network and distribution of actions."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        *(f"        {line}" for line in _init(policy)),
        "",
        "    def forward(self, obs):",
        '        """Give the parameters of the distribution of actions, by name."""',
        *(f"        {line}" for line in _forward(policy)),
        "",
        "    def distribution(self, obs):",
        '        """Give the distribution of actions; of several parts each its own, by name."""',
        *(f"        {line}" for line in _distribution(policy)),
        "",
        "    def act(self, obs, greedy=False):",
        '        """Draw an action, or give the most probable one, as the environment takes it."""',
        "        with torch.no_grad():",
        "            p, drawn = self(obs), None if greedy else self.distribution(obs)",
        *(
            f"            {line}"
            for name, leaf in zip(names, policy.leaves, strict=True)
            for line in _act(name, leaf, policy)
        ),
        f"            return {nested(policy.act_space, iter(names))}",
        _READ,
    ]
    if policy.moments is not None:
        for name, values in zip(("mean", "scale"), policy.moments, strict=True):
            lines.append(array(f'STATE["{name}"]', values, "_read"))
    for k, (weight, bias) in enumerate(policy.layers):
        lines.append(array(f'STATE["network.{2 * k}.weight"]', weight.T, "_read"))
        lines.append(array(f'STATE["network.{2 * k}.bias"]', bias, "_read"))
    if len(policy.free):
        lines.append(array('STATE["free_log_sigma"]', policy.free, "_read"))
    return "\n".join(lines) + "\n"


def _init(policy: Form) -> Iterator[str]:
    """Make the modules, and fill them."""
    if policy.moments is not None:
        for name in ("mean", "scale"):
            yield f'self.register_buffer("{name}", STATE["{name}"].clone())'
    if len(policy.free):
        yield 'self.free_log_sigma = nn.Parameter(STATE["free_log_sigma"].clone())'
    sizes = [policy.n_obs, *(len(bias) for _, bias in policy.layers)]
    activation = "nn.Tanh()" if policy.activation == "tanh" else "nn.ReLU()"
    yield "self.network = nn.Sequential("
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        if k:
            yield f"    {activation},"
        yield f"    nn.Linear({n_in}, {n_out}, dtype=torch.{policy.dtype.name}),"
    yield ")"
    yield "self.load_state_dict(STATE)"


def _forward(policy: Form) -> Iterator[str]:
    """From observations to the parameters."""
    yield "x = torch.as_tensor(obs).to(torch.float64)"
    if policy.moments is not None:
        yield f"x = ((x - self.mean) * self.scale).clamp(-{policy.bound}, {policy.bound})"
    yield f"x = self.network(x.to(torch.{policy.dtype.name}))"
    yield "return {"
    taken = 0
    for part in policy.parts:
        n = part.columns.stop - part.columns.start
        if part.outputs is None:
            value = f"self.free_log_sigma[{taken}:{taken + n}].expand(*x.shape[:-1], {n})"
            taken += n
        else:
            value = f"x[..., {part.outputs.start}:{part.outputs.stop}]"
        if part.kind == "log_sigma":
            value = f"{value}.clamp({LOG_SIGMA_MIN}, {LOG_SIGMA_MAX})"
        if part.origin is not None and part.unit is not None:
            offset, factor = literal(part.origin, "torch"), literal(part.unit, "torch")
            if part.kind == "log_sigma":
                factor = literal(np.log(part.unit), "torch")
                value = f"({value} + {factor}).to(x.dtype)"
            else:
                value = f"({offset} + {factor} * {value}).to(x.dtype)"
        yield f"    {quoted(part.name)}: {value},"
    yield "}"


def _distribution(policy: Form) -> Iterator[str]:
    """From the parameters to the distributions."""
    yield "p = self(obs)"
    found = [pair for leaf in policy.leaves for pair in _laws(leaf, policy)]
    if len(found) == 1:
        yield f"return {found[0][1]}"
        return
    yield "return {"
    yield from (f"    {quoted(name)}: {law}," for name, law in found)
    yield "}"


def _laws(leaf: Leaf, policy: Form) -> Iterator[tuple[str, str]]:
    """Name the distributions of a leaf, and write them."""
    values = [f"p[{quoted(part.name)}]" for part in leaf.parts]
    if isinstance(leaf.space, spaces.Box):
        mean, log_sigma = values
        law = f"distributions.Normal({mean}, {log_sigma}.exp())"
        if leaf.squashed:
            centre = literal(leaf.centre, "torch")
            half = literal(leaf.half_width, "torch")
            law = (
                f"distributions.TransformedDistribution({law}, [distributions.TanhTransform("
                f"cache_size=1), distributions.AffineTransform({centre}, {half}, cache_size=1)])"
            )
        yield leaf.name, f"distributions.Independent({law}, 1)"
    elif isinstance(leaf.space, spaces.MultiBinary):
        yield (
            leaf.name,
            f"distributions.Independent(distributions.Bernoulli(logits={values[0]}), 1)",
        )
    else:
        for part, value in zip(leaf.parts, values, strict=True):
            name = part.name.replace("logits", "action")
            if policy.greedy:
                best = f"nn.functional.one_hot({value}.argmax(-1), {value}.shape[-1]).to({value})"
                probs = f"{1 - policy.greedy!r} * {value}.softmax(-1) + {policy.greedy!r} * {best}"
                yield name, f"distributions.Categorical(probs={probs})"
            else:
                yield name, f"distributions.Categorical(logits={value})"


def _act(name: str, leaf: Leaf, policy: Form) -> Iterator[str]:
    """From the parameters, or a draw, to one leaf of the action."""
    space = leaf.space
    laws = [each for other in policy.leaves for each, _ in _laws(other, policy)]
    own = [each for each, _ in _laws(leaf, policy)]
    draws = [
        "drawn.sample()" if len(laws) == 1 else f"drawn[{quoted(each)}].sample()" for each in own
    ]
    values = [f"p[{quoted(part.name)}]" for part in leaf.parts]
    dtype = f"torch.{space.dtype}"
    shape = ", ".join(map(str, space.shape or ()))
    if isinstance(space, spaces.Discrete):
        yield f"{name} = {values[0]}.argmax(-1) if greedy else {draws[0]}"
        yield f"{name} = {name} + {int(space.start)}"
        return
    if isinstance(space, spaces.MultiBinary):
        yield f"{name} = {values[0]} > 0 if greedy else {draws[0]}"
    elif isinstance(space, spaces.MultiDiscrete):
        pairs = zip(values, draws, strict=True)
        each = ", ".join(f"{value}.argmax(-1) if greedy else {draw}" for value, draw in pairs)
        yield f"{name} = torch.stack([{each}], -1)"
        yield f"{name} = {name} + torch.tensor({space.start.ravel().tolist()})"
    else:
        assert isinstance(space, spaces.Box)
        mode = values[0]
        if leaf.squashed:
            centre = literal(leaf.centre, "torch")
            half = literal(leaf.half_width, "torch")
            mode = f"{centre} + {half} * {mode}.to(torch.float64).tanh()"
        yield f"{name} = ({mode} if greedy else {draws[0]}).to(torch.float64)"
        if space.dtype.kind != "f":
            yield f"{name} = {name}.round()"
        low, high = leaf.bounds
        if np.isfinite([low, high]).any():
            ends = [literal(end, "torch") for end in (low, high)]
            if any(end.startswith("torch.tensor") for end in ends):  # both are, or neither
                ends = [f"torch.as_tensor({end})" for end in ends]
            yield f"{name} = {name}.clamp({', '.join(ends)})"
    yield f"{name} = {name}.reshape(*{name}.shape[:-1], {shape}).to({dtype})"
