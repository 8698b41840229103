r"""
Analytic policy gradients: through the reward and the dynamics, where both can be differentiated.

With actions :math:`a_t = \mu_\theta(o_t) + \sigma_\theta\epsilon_t` and given noise, a trajectory
is a function of theta, and so is its return: `pathwise_gradient` differentiates it by
backpropagation through time, written by hand. No score is needed; the systems give their Jacobians.
"""

from npvpg.lab.analytic.control import ClosedForm, affine, closed_form, riccati
from npvpg.lab.analytic.linear_quadratic import LinearQuadratic
from npvpg.lab.analytic.pathwise import (
    Detach,
    Path,
    as_batch,
    pathwise_gradient,
    pathwise_gradients,
    play,
)
from npvpg.lab.analytic.pendulum import Pendulum
from npvpg.lab.analytic.system import System

__all__ = [
    "ClosedForm",
    "Detach",
    "LinearQuadratic",
    "Path",
    "Pendulum",
    "System",
    "affine",
    "as_batch",
    "closed_form",
    "pathwise_gradient",
    "pathwise_gradients",
    "play",
    "riccati",
]
