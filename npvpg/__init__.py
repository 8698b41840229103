"""
Vanilla policy gradient, written out by hand in NumPy and Numba.

The names below come as they are asked for, so that importing the package costs nothing.
"""

TYPE_CHECKING = False  # as type checkers read it; importing typing takes a third of the help's time
if TYPE_CHECKING:
    from npvpg.algorithm import Algorithm, Turn
    from npvpg.api import evaluate, make, train, trajectories
    from npvpg.batch import Batch
    from npvpg.collect import FixedHorizon, WholeEpisodes
    from npvpg.distributions import (
        Bernoulli,
        Categorical,
        DiagonalGaussian,
        Distribution,
        GreedyCategorical,
        Product,
        SquashedGaussian,
    )
    from npvpg.envs import CompiledEnv
    from npvpg.estimators import (
        GAE,
        ActionValue,
        BaselinedReturn,
        Estimator,
        GroupRelative,
        LeaveOneOut,
        NStep,
        RewardToGo,
        TDResidual,
        TotalReturn,
        standardize,
    )
    from npvpg.exporting.export import export
    from npvpg.fisher import conjugate_gradient, fisher_product
    from npvpg.gradient import policy_gradient
    from npvpg.loaded import load
    from npvpg.loop import iterate
    from npvpg.mlp import MLP
    from npvpg.natural import LineSearch, NaturalStep, natural_gradient
    from npvpg.optimizers import SGD, Adam, Ascent, Linear
    from npvpg.policy import Policy
    from npvpg.ppo import ClippedStep, clipped, clipped_weight
    from npvpg.runs.config import Config
    from npvpg.runs.config_file import configure
    from npvpg.show.watch import watch
    from npvpg.stages import PolicyStep, ValueFit, Weigh
    from npvpg.surrogate import importance_ratio, surrogate_gradient, surrogate_objective
    from npvpg.value import MLPValue, Value, ZeroValue
    from npvpg.vpg import VPG

__version__ = "0.1.0"

_HOMES = {
    "algorithm": ("Algorithm", "Turn"),
    "api": ("evaluate", "make", "train", "trajectories"),
    "loaded": ("load",),
    "batch": ("Batch",),
    "collect": ("FixedHorizon", "WholeEpisodes"),
    "distributions": (
        "Bernoulli",
        "Categorical",
        "DiagonalGaussian",
        "Distribution",
        "GreedyCategorical",
        "Product",
        "SquashedGaussian",
    ),
    "envs": ("CompiledEnv",),
    "estimators": (
        "GAE",
        "ActionValue",
        "BaselinedReturn",
        "Estimator",
        "GroupRelative",
        "LeaveOneOut",
        "NStep",
        "RewardToGo",
        "TDResidual",
        "TotalReturn",
        "standardize",
    ),
    "exporting.export": ("export",),
    "fisher": ("conjugate_gradient", "fisher_product"),
    "gradient": ("policy_gradient",),
    "loop": ("iterate",),
    "mlp": ("MLP",),
    "natural": ("LineSearch", "NaturalStep", "natural_gradient"),
    "optimizers": ("SGD", "Adam", "Ascent", "Linear"),
    "policy": ("Policy",),
    "ppo": ("ClippedStep", "clipped", "clipped_weight"),
    "runs.config": ("Config",),
    "runs.config_file": ("configure",),
    "show.watch": ("watch",),
    "stages": ("PolicyStep", "ValueFit", "Weigh"),
    "surrogate": ("importance_ratio", "surrogate_gradient", "surrogate_objective"),
    "value": ("MLPValue", "Value", "ZeroValue"),
    "vpg": ("VPG",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "GAE",
    "MLP",
    "SGD",
    "VPG",
    "ActionValue",
    "Adam",
    "Algorithm",
    "Ascent",
    "BaselinedReturn",
    "Batch",
    "Bernoulli",
    "Categorical",
    "ClippedStep",
    "CompiledEnv",
    "Config",
    "DiagonalGaussian",
    "Distribution",
    "Estimator",
    "FixedHorizon",
    "GreedyCategorical",
    "GroupRelative",
    "LeaveOneOut",
    "LineSearch",
    "Linear",
    "MLPValue",
    "NStep",
    "NaturalStep",
    "Policy",
    "PolicyStep",
    "Product",
    "RewardToGo",
    "SquashedGaussian",
    "TDResidual",
    "TotalReturn",
    "Turn",
    "Value",
    "ValueFit",
    "Weigh",
    "WholeEpisodes",
    "ZeroValue",
    "clipped",
    "clipped_weight",
    "configure",
    "conjugate_gradient",
    "evaluate",
    "export",
    "fisher_product",
    "importance_ratio",
    "iterate",
    "load",
    "make",
    "natural_gradient",
    "policy_gradient",
    "standardize",
    "surrogate_gradient",
    "surrogate_objective",
    "train",
    "trajectories",
    "watch",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    from importlib import import_module  # noqa: PLC0415

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
