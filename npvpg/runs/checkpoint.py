"""
Checkpoints: named arrays and a dictionary in one safetensors file.

The format is a JSON header and raw numbers. Reading one is arithmetic on bytes: unlike a pickle,
a checkpoint from a stranger cannot run code.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from npvpg.runs.files import write_atomically

FORMAT = "npvpg"
VERSION = "1"

_KINDS = "biuf"  # safetensors names only these kinds of numbers as NumPy does


def save(path: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> None:
    """
    Write a checkpoint, or leave the one that is there as it is.

    Parameters
    ----------
    path : Path
        The file to create or to replace.
    arrays : dict of ndarray
        Arrays of booleans, integers or floats under their names, of any shape, byte order and
        memory layout; they come back in native byte order and C order, bit for bit.
    metadata : dict
        Whatever JSON can hold: tuples come back as lists, floats exactly.

    Raises
    ------
    ValueError
        If an array has a type that the file cannot hold, or the metadata are not JSON.
    OSError
        If the file cannot be written; the old one is then untouched.

    See Also
    --------
    npvpg.runs.files.write_atomically : Why a half-written file never replaces a good one.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder, "a"), {"theta": np.array([0.5, 1.0])}, {"env": "CartPole-v1"})
    ...     load(Path(folder, "a"))
    ({'theta': array([0.5, 1. ])}, {'env': 'CartPole-v1'})
    """
    header = {"format": FORMAT, "version": VERSION, "metadata": _to_json(metadata)}
    plain = {name: _plain(name, array) for name, array in arrays.items()}
    write_atomically(path, serialize(plain, metadata=header))


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """
    Read a checkpoint; no code runs but this.

    Parameters
    ----------
    path : Path
        A file that `save` wrote.

    Returns
    -------
    arrays : dict of ndarray
        The arrays, writable and owned by the caller.
    metadata : dict
        The dictionary.

    Raises
    ------
    ValueError
        If the file is missing, cut short, damaged in its header, not written by npvpg, or written
        in a version of the format that this npvpg does not know.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise ValueError(f"{path} is no checkpoint of npvpg")
            if header.get("version") != VERSION:
                version = header.get("version")
                raise ValueError(
                    f"{path} has checkpoint version {version}; this npvpg reads version {VERSION}"
                )
            arrays = {name: np.array(file.get_tensor(name)) for name in sorted(file.keys())}
            metadata: dict[str, Any] = json.loads(header["metadata"])
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is truncated or is no checkpoint of npvpg: {reason}") from None
    return arrays, metadata


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Give the same numbers in the layout of the file: little-endian and contiguous."""
    array = np.asarray(array)
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise ValueError(f"{name} must hold booleans, integers or floats, got {array.dtype}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _to_json(metadata: dict[str, Any]) -> str:
    """Serialise the metadata, which safetensors stores as text."""
    try:
        return json.dumps(metadata)
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata must be JSON: {error}") from None
