"""Steps along a gradient, and what bounds and schedules them."""

from npvpg.optimizers.chain import Ascent, Linear
from npvpg.optimizers.clipping import clip_by_global_norm, global_norm
from npvpg.optimizers.steps import SGD, Adam, Optimizer, OptimizerState

__all__ = [
    "SGD",
    "Adam",
    "Ascent",
    "Linear",
    "Optimizer",
    "OptimizerState",
    "clip_by_global_norm",
    "global_norm",
]
