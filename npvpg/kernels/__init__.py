"""Compiled loops: arrays in, arrays out, no checks."""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """
    Import a file of kernels as it is first asked for.

    So does what only names or describes things not wait for Numba, which takes half a second.
    """
    file = f"{__name__}.{name}"
    try:
        return import_module(file)
    except ModuleNotFoundError as error:
        if error.name != file:  # what the file itself imports is missing
            raise
        raise AttributeError(f"module {__name__} has no attribute {name}") from None
