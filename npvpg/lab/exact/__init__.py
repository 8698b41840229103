r"""
The exact laboratory: finite Markov decision processes, solved and enumerated.

Nothing here is sampled. `process` gives J, V, Q, A and the gradient of J by induction over time;
`episodes` lists every episode with its probability; `laboratory` runs the library's own
estimators and scores on all of them, so that mean and covariance of a gradient estimate are sums:

.. math:: E\,\lVert\hat g - \nabla J\rVert^2
          = \lVert E\hat g - \nabla J\rVert^2 + \mathrm{tr\,Cov}(\hat g)
"""

from npvpg.lab.exact.baselines import all_actions, best_baseline
from npvpg.lab.exact.episodes import Episodes, episodes
from npvpg.lab.exact.groups import group_moments
from npvpg.lab.exact.laboratory import Laboratory, Moments, tabular
from npvpg.lab.exact.process import Process, Solution, gradient, occupancy, random_process, solve

__all__ = [
    "Episodes",
    "Laboratory",
    "Moments",
    "Process",
    "Solution",
    "all_actions",
    "best_baseline",
    "episodes",
    "gradient",
    "group_moments",
    "occupancy",
    "random_process",
    "solve",
    "tabular",
]
