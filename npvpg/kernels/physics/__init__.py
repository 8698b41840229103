"""
Equations of motion of the classic control problems, in the operation order of Gymnasium's own.

Every module describes one environment by the same four functions. ``draw(noise, state, obs)``
starts an episode from ``noise``, a row of float64, and ``move(state, action, obs)`` takes one step
and returns the reward and whether the episode terminated; both write the rows of one
sub-environment in place. ``reset`` and ``step`` run them over all sub-environments;
`npvpg.kernels.physics.loops` makes them. An option of the original is a last argument of ``move``.

Arrays common to all: ``state`` (N, ...) float64; ``steps`` (N,) int64, the steps taken in the
episode, negative if the sub-environment must be reset first; ``obs`` (N, O) float32; ``rew`` (N,)
float64; ``ends`` (2, N) bool, terminated above truncated.

Sums and products are not reordered or contracted, squares that NumPy takes by the power function
are taken by the power function, and single precision is used wherever Gymnasium's types make
NumPy use it. So both give the same bits.
"""

ENDED = -1
"""Step count of a sub-environment whose episode is over."""

NEVER = -2
"""Step count of a sub-environment that was never reset."""
