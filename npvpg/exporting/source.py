"""What the Python files of a policy have in common: their head, their arrays, their action."""

import base64
import json
import textwrap
from collections.abc import Iterator, Sequence

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from npvpg import __version__
from npvpg.exporting.form import Form

WIDTH = 100


def head(policy: Form, needs: str, use: Sequence[str]) -> str:
    """
    Begin a file with what it is and how it is used.

    Parameters
    ----------
    policy : Form
        The policy.
    needs : str
        What it needs.
    use : sequence of str
        Lines of an example.

    Returns
    -------
    str
        A docstring.
    """
    n = policy.n_obs
    about = (
        f"One observation is ({n},) as gymnasium.spaces.flatten gives it, several are (N, {n}). "
        f"Observations: {policy.obs_space}. Actions: {policy.act_space}."
    )
    lines = [
        f"Policy for {policy.env}, trained for {policy.steps:,} steps by npvpg {__version__}.",
        "",
        f"It needs {needs}; its weights are below.",
        "",
        *(f"    {line}".rstrip() for line in use),
        "",
        *textwrap.wrap(" ".join(about.split()), WIDTH),
    ]
    body = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""\n{body}\n"""'


def array(name: str, values: NDArray[np.generic], call: str) -> str:
    """
    Write an array, bit for bit.

    Parameters
    ----------
    name : str
        What it is called.
    values : ndarray
        Its numbers.
    call : str
        Function that reads them: it takes type, shape and base64.

    Returns
    -------
    str
        A statement.
    """
    little = np.asarray(values, values.dtype.newbyteorder("<"), order="C")
    text = textwrap.fill(base64.b64encode(little.tobytes()).decode(), WIDTH)
    shape = ", ".join(map(str, values.shape)) + "," * (values.ndim == 1)
    return f'{name} = {call}("{values.dtype.name}", ({shape}), """\n{text}\n""")'


def literal(values: NDArray[np.generic], module: str) -> str:
    """
    Write a few numbers so that one can read them.

    Parameters
    ----------
    values : ndarray of float64, shape (D,)
        The numbers.
    module : {"np", "torch"}
        Whose array they become.

    Returns
    -------
    str
        A single number if all are equal.
    """
    texts = [repr(value).replace("inf", f"{module}.inf") for value in values.tolist()]
    if len(set(texts)) == 1:
        return texts[0]
    make = {"np": "np.array([{}])", "torch": "torch.tensor([{}], dtype=torch.float64)"}[module]
    return make.format(", ".join(texts))


def quoted(name: str) -> str:
    """
    Write a name as a formatter of Python would.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        It in double quotes.
    """
    return json.dumps(name, ensure_ascii=False)


def nested(space: Space[object], actions: Iterator[str]) -> str:
    """
    Put actions together as the environment takes them.

    Parameters
    ----------
    space : gymnasium.spaces.Space
        Space of an action.
    actions : iterator of str
        Expressions of its leaves, in order.

    Returns
    -------
    str
        An expression.
    """
    if isinstance(space, spaces.Dict):
        inner = (f"{quoted(name)}: {nested(part, actions)}" for name, part in space.spaces.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(space, spaces.Tuple):
        return "(" + "".join(f"{nested(part, actions)}, " for part in space.spaces).rstrip() + ")"
    return next(actions)
