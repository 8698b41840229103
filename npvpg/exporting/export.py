"""A policy written to a file that acts without npvpg."""

from pathlib import Path
from typing import Literal, get_args

from npvpg.exporting import json_file, numpy_file, onnx_file, torch_file
from npvpg.exporting.form import form
from npvpg.runs import environments
from npvpg.runs.evaluation import trained
from npvpg.runs.files import write_atomically
from npvpg.runs.watching import single

Format = Literal["onnx", "torch", "numpy", "json"]

NAMES: dict[str, str] = {
    "onnx": "policy.onnx",
    "torch": "policy_torch.py",
    "numpy": "policy.py",
    "json": "policy.json",
}
"""Names of the files, where none is given."""


def export(
    run: str | Path,
    format: Format = "onnx",
    out: str | Path | None = None,
    *,
    best: bool = False,
) -> Path:
    """
    Write the policy of a run to a file, as `npvpg export` does.

    Whatever the format, normaliser, tanh and the bounds of actions are inside: an observation goes
    in as `gymnasium.spaces.flatten` lays it flat, an action comes out as the environment takes it.

    Parameters
    ----------
    run : str or Path
        Directory of the run, whose last checkpoint is taken.
    format : {"onnx", "torch", "numpy", "json"}
        ONNX: parameters of the distribution, and the most probable action. Torch: a Python file
        with a ``torch.nn.Module`` and its weights. NumPy: a Python file that needs NumPy alone.
        JSON: weights and normaliser as numbers.
    out : str or Path, optional
        The file; if not given, ``policy.onnx``, ``policy_torch.py``, ``policy.py`` or
        ``policy.json`` in the directory of the run.
    best : bool
        Take the best policy of a run with `eval_every` in place of the last.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the directory holds no run, the format is unknown, the file would end in something else,
        or onnx is needed and not installed.
    """
    if format not in get_args(Format):
        raise ValueError(f"format must be one of {', '.join(get_args(Format))}, got {format!r}")
    directory = single(Path(run))
    path = Path(out) if out is not None else directory / NAMES[format]
    suffix = Path(NAMES[format]).suffix
    if path.suffix != suffix:
        raise ValueError(f"a file of format {format} must end in {suffix}, got {str(path)!r}")
    with environments.quiet(), trained(directory, best=best) as of:
        policy = form(of)
    if format == "onnx":
        data = onnx_file.dumps(policy)
    else:
        writers = {"torch": torch_file, "numpy": numpy_file, "json": json_file}
        data = writers[format].dumps(policy).encode()
    write_atomically(path, data)
    return path
