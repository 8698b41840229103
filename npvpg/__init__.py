"""Vanilla policy gradient, written out by hand in NumPy and Numba."""

__version__ = "0.1.0"
