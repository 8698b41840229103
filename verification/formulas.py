"""Every public formula of the library: what it says, and where it stands."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import npvpg.kernels
from verification.source import plain, resolve

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    *sorted(
        f"npvpg.kernels.{path.stem}"
        for path in Path(npvpg.kernels.__path__[0]).glob("*.py")
        if path.stem not in ("__init__", "compiler")  # how kernels are compiled is no formula
    ),
    "npvpg.estimators",
    "npvpg.estimators.base",
    "npvpg.estimators.without_value",
    "npvpg.estimators.advantages",
    "npvpg.estimators.groups",
    "npvpg.estimators.standardizing",
    "npvpg.distributions.softmax",
    "npvpg.distributions.categorical",
    "npvpg.distributions.gaussian",
    "npvpg.distributions.squashed",
    "npvpg.distributions.bernoulli",
    "npvpg.distributions.product",
    "npvpg.world.spaces",
    "npvpg.world.squash",
    "npvpg.mlp",
    "npvpg.tangent",
    "npvpg.policy",
    "npvpg.value",
    "npvpg.gradient",
    "npvpg.surrogate",
    "npvpg.fisher",
    "npvpg.lab.variance",
    "npvpg.lab.contributions",
    "npvpg.lab.reweighting",
    "npvpg.optimizers.steps",
    "npvpg.optimizers.clipping",
    "npvpg.optimizers.chain",
    "npvpg.normalize",
    "npvpg.world.actor",
    "npvpg.world.engine",
    "npvpg.world.player",
    "npvpg.world.split",
    "npvpg.world.rollout",
    "npvpg.collect",
    "npvpg.state",
    "npvpg.stages.weigh",
    "npvpg.stages.policy_step",
    "npvpg.stages.value_fit",
    "npvpg.loop",
    "npvpg.vpg",
    "npvpg.natural",
    "npvpg.ppo",
    "npvpg.lab.exact.process",
    "npvpg.lab.exact.episodes",
    "npvpg.lab.exact.laboratory",
    "npvpg.lab.exact.groups",
    "npvpg.lab.exact.baselines",
    "npvpg.lab.analytic.pathwise",
    "npvpg.lab.analytic.linear_quadratic",
    "npvpg.lab.analytic.pendulum",
    "npvpg.lab.analytic.control",
)


@dataclass(frozen=True)
class Formula:
    """
    One public function or method.

    Parameters
    ----------
    name : str
        Dotted name; a class that is called stands for its ``__call__``.
    file : str
        Path below the root of the repository.
    line : int
        Where it begins there.
    text : str
        Its last displayed formula, or else the first line of its docstring.
    owner : str
        The class of a method that displays no formula; empty for anything else.
    """

    name: str
    file: str
    line: int
    text: str
    owner: str = ""


def formulas() -> list[Formula]:
    """
    Find every public formula of the library.

    Returns
    -------
    list of Formula
        Functions, and methods of classes that are neither protocols nor abstract, in reading order.
    """
    found = []
    for module in map(importlib.import_module, MODULES):
        file = Path(str(module.__file__)).relative_to(ROOT).as_posix()
        for name, thing in vars(module).items():
            target = plain(thing)
            if name.startswith("_") or getattr(target, "__module__", "") != module.__name__:
                continue
            dotted = f"{module.__name__}.{name}"
            if inspect.isfunction(target):
                found.append(Formula(dotted, file, line_of(target), _text(target)))
            elif inspect.isclass(target) and not getattr(target, "_is_protocol", False):
                found += _methods(dotted, target, file)
    return found


def line_of(target: Any) -> int:
    """
    Find where a definition begins.

    Parameters
    ----------
    target : function or class
        What `plain` gives.

    Returns
    -------
    int
        Number of its first line, decorators included.
    """
    return inspect.getsourcelines(target)[1]


def _methods(dotted: str, kind: type, file: str) -> list[Formula]:
    """Methods of a class; a ``__call__``, and what says nothing, is told of by the class."""
    methods: list[Formula] = []
    of_class = Formula(dotted, file, line_of(kind), _text(kind))
    for name, thing in vars(kind).items():
        if isinstance(thing, property) or not inspect.isfunction(plain(thing)):
            continue
        if getattr(thing, "__isabstractmethod__", False):
            continue
        silent = not plain(thing).__doc__ and of_class.text.startswith("$")
        if name == "__call__" or (silent and not name.startswith("_")):
            methods += [of_class] if of_class not in methods else []
        elif not name.startswith("_"):
            text = _text(plain(thing))
            owner = "" if text.startswith("$") else dotted
            line = line_of(plain(thing))
            methods.append(Formula(f"{dotted}.{name}", file, line, text, owner))
    return methods


def _text(thing: Any) -> str:
    doc = re.split(r"\n *(?:Parameters|Returns)\n *-+\n", inspect.getdoc(thing) or "")[0]
    shown = re.findall(r"\.\. math::[ \n]*(.+?)(?=\n\s*\n|\Z)", doc, re.DOTALL)
    if shown:
        text = f"${' '.join(shown[-1].split()).rstrip('.,')}$"
    else:
        summary = " ".join(doc.strip().partition("\n\n")[0].split())
        text = re.sub(r":math:`([^`]+)`", r"$\1$", summary)
    # A bar would end the cell of the table.
    return text.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def canonical(name: str) -> str:
    """
    Name a thing by where it is defined.

    Parameters
    ----------
    name : str
        A dotted name, perhaps of a re-export.

    Returns
    -------
    str
        Dotted name of the definition.

    Raises
    ------
    ValueError
        If nothing has that name.
    """
    found, holder = resolve(name)
    last = name.rpartition(".")[2]
    if inspect.isclass(holder):
        owner = next(kind for kind in holder.__mro__ if last in vars(kind))
        return f"{owner.__module__}.{owner.__qualname__}.{last}".removesuffix(".__call__")
    module = getattr(plain(found), "__module__", None)
    return f"{module}.{last}" if module and not inspect.ismodule(found) else name
