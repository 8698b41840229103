"""Files of a run: what is replaced is the old file or the new one, never half of each."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """
    Write a whole file, or leave what is there as it is.

    Parameters
    ----------
    path : Path
        The file to create or to replace; its directory exists.
    data : bytes
        The new content.

    Raises
    ------
    OSError
        If the disk is full, the directory is missing or may not be written to. `path` is then
        untouched.

    Notes
    -----
    The data go to a temporary file in the same directory, and so on the same file system, where
    `os.replace` is one atomic step. The file is flushed to the disk before that step, because a
    file system may otherwise carry out the renaming first and lose the data in a power cut; the
    directory is flushed after it, so that the renaming itself survives. A process that is killed
    in between leaves the temporary file, ``.NAME.PID.tmp``, and nothing else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "a.txt"), b"first")
    ...     write_atomically(Path(folder, "a.txt"), b"second")
    ...     [(file.name, file.read_bytes()) for file in Path(folder).iterdir()]
    [('a.txt', b'second')]
    """
    with replaced(path) as temporary, temporary.open("wb") as file:
        file.write(data)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """
    Write a file under another name, which takes its place when it is whole.

    Parameters
    ----------
    path : Path
        The file to create or to replace; its directory exists.

    Yields
    ------
    Path
        Where to write; gone if that fails, and `path` is then untouched.

    Raises
    ------
    OSError
        If the directory is missing, or the file cannot be written.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: {path.parent} is no directory")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):
        _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    """Flush a file, or the entries of a directory, to the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
