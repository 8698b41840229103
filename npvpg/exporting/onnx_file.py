"""A policy as ONNX: observations in, parameters of the distribution and greedy actions out."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from npvpg import __version__
from npvpg.distributions import LOG_SIGMA_MAX, LOG_SIGMA_MIN
from npvpg.exporting.form import Form, Leaf

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto

OPSET, IR = 17, 8  # of 2022: what runs a model is often older than what made it


class _Graph:
    """Nodes, one after the other, and the constants that they take."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        """Keep an array, and give its name."""
        from onnx import numpy_helper  # noqa: PLC0415 - an extra

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(
        self, kind: str, *inputs: str | NDArray[Any], name: str = "", **attributes: Any
    ) -> str:
        """Add a node, and give the name of what comes out of it."""
        from onnx import helper  # noqa: PLC0415

        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        out = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [out], **attributes))
        return out

    def cast(self, value: str, dtype: Any, name: str = "") -> str:
        """Bring to another type."""
        return self.node("Cast", value, name=name, to=_type(dtype))


def dumps(policy: Form) -> bytes:
    """
    Write a policy as ONNX.

    Parameters
    ----------
    policy : Form
        The policy.

    Returns
    -------
    bytes
        The model. Its input "obs" is (N, O), laid flat by `gymnasium.spaces.flatten`, of the type
        that gives. Its outputs are the parameters ("logits"; "mean" and "log_sigma") and the most
        probable actions ("action") as the environment takes them, N of each; the normaliser, tanh
        and the bounds are inside.

    Raises
    ------
    ValueError
        If onnx is not installed.
    """
    if find_spec("onnx") is None:
        raise ValueError("--format onnx needs a package that is not installed: pip install onnx")
    from onnx import checker, helper  # noqa: PLC0415

    graph, outputs = _Graph(), []
    named = _parameters(graph, policy)
    for part in policy.parts:
        n = part.columns.stop - part.columns.start
        outputs.append(helper.make_tensor_value_info(part.name, _type(policy.dtype), ("N", n)))
    outputs += [_action(graph, leaf, named, policy.dtype) for leaf in policy.leaves]
    obs = helper.make_tensor_value_info("obs", _type(policy.obs_dtype), ("N", policy.n_obs))
    whole: GraphProto = helper.make_graph(
        graph.nodes, "policy", [obs], outputs, graph.constants, doc_string=f"policy of {policy.env}"
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        whole,
        producer_name="npvpg",
        producer_version=__version__,
        opset_imports=opset,
        ir_version=IR,
    )
    told = {
        "environment": policy.env,
        "steps": str(policy.steps),
        "observations": str(policy.obs_space),
        "actions": str(policy.act_space),
    }
    helper.set_model_props(model, told)
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _parameters(graph: _Graph, policy: Form) -> dict[str, str]:
    """From observations to the parameters of the distribution, each part under its name."""
    x = "obs"
    if policy.moments is not None:
        mean, scale = policy.moments
        x = graph.cast(x, np.float64)
        x = graph.node("Mul", graph.node("Sub", x, mean), scale)
        x = graph.node("Clip", x, np.array(-policy.bound), np.array(policy.bound))
    x = graph.cast(x, policy.dtype)
    *hidden, (weight, bias) = policy.folded
    for inner, offset in hidden:
        x = graph.node("Add", graph.node("MatMul", x, inner), offset)
        x = graph.node("Tanh" if policy.activation == "tanh" else "Relu", x)
    x = graph.node("Add", graph.node("MatMul", x, weight), bias)
    named = {}
    for part in policy.parts:
        ends = [np.array([end], np.int64) for end in (part.columns.start, part.columns.stop)]
        raw = graph.node("Slice", x, *ends, np.array([1], np.int64))
        if part.kind == "log_sigma":
            low, high = (np.array(end, policy.dtype) for end in (LOG_SIGMA_MIN, LOG_SIGMA_MAX))
            raw = graph.node("Clip", raw, low, high)
            if part.unit is not None:
                raw = graph.node("Add", raw, np.log(part.unit).astype(policy.dtype))
        elif part.origin is not None and part.unit is not None:
            raw = graph.node("Mul", graph.cast(raw, np.float64), part.unit)
            raw = graph.cast(graph.node("Add", raw, part.origin), policy.dtype)
        elif policy.greedy:
            raw = _mixed(graph, raw, part.columns.stop, policy)
        named[part.name] = graph.node("Identity", raw, name=part.name)
    return named


def _mixed(graph: _Graph, logits: str, n: int, policy: Form) -> str:
    """Give the logarithms of the probabilities of a mixture with the mode."""
    best = graph.node("ArgMax", logits, axis=1, keepdims=1)
    at = graph.cast(graph.node("Equal", best, np.arange(n)[np.newaxis]), policy.dtype)
    greedy = np.array(policy.greedy, policy.dtype)
    drawn = graph.node("Mul", graph.node("Softmax", logits, axis=1), 1 - greedy)
    return graph.node("Log", graph.node("Add", drawn, graph.node("Mul", at, greedy)))


def _action(graph: _Graph, leaf: Leaf, named: dict[str, str], dtype: Any) -> "ValueInfoProto":
    """From the parameters to the most probable action, as the environment takes it."""
    from onnx import helper  # noqa: PLC0415

    space, shape = leaf.space, leaf.space.shape or ()
    values = [named[part.name] for part in leaf.parts]
    if isinstance(space, spaces.Box):
        x = values[0]
        if leaf.squashed:
            x = graph.node("Tanh", graph.cast(x, np.float64))
            x = graph.node("Add", graph.node("Mul", x, leaf.half_width), leaf.centre)
        else:
            x = graph.cast(x, np.float64)
        if space.dtype.kind != "f":
            x = graph.node("Round", x)
        low, high = leaf.bounds
        x = graph.node("Min", graph.node("Max", x, low), high)
    elif isinstance(space, spaces.MultiBinary):
        x = graph.node("Greater", values[0], np.zeros((), dtype))
    else:
        best = [graph.node("ArgMax", each, axis=1, keepdims=1) for each in values]
        x = graph.node("Concat", *best, axis=1) if len(best) > 1 else best[0]
        x = graph.node("Add", x, np.asarray(space.start, np.int64).reshape(1, -1))  # type: ignore[attr-defined]
    x = graph.node("Reshape", x, np.array([-1, *shape], np.int64))
    graph.cast(x, space.dtype, name=leaf.name)
    return helper.make_tensor_value_info(leaf.name, _type(space.dtype), ("N", *shape))


def _type(dtype: Any) -> int:
    """Name a type as ONNX does."""
    from onnx import helper  # noqa: PLC0415

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
