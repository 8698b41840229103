"""
The one door to compiled code: Numba, and a cache on disk that all kernels share.

Numba's own cache asks whether the file of a function has changed, not the files of the functions
it calls; it reads nothing back that closes over a function; a damaged file stops every later run;
processes that save at once may mix up what they saved; and without a place on disk it raises.
Here each compiled function is one file, named by all that it depends on, the source of every
kernel among it, and opened by its check sum. What is not there, or not whole, is compiled.
"""

import hashlib
import os
import pickle
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numba
from numba import config, njit, typeof
from numba.core.caching import _Cache
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.event import trigger_event
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

Function = TypeVar("Function", bound=Callable[..., Any])
PACKAGE = __name__.rpartition(".")[0]
SOURCES = Path(__file__).parent
KEPT_FOLDERS = 8
DIGEST_SIZE = 32
READING = "npvpg:read"
"""Kind of the event that a kernel is looked for in the cache, as Numba's own are sent."""
NO_PLACE = "no folder for them can be written to; set NUMBA_CACHE_DIR to one that can"


def jit(function: Function, **options: Any) -> Function:
    """
    Compile a kernel in nopython mode when it is first called, or read it from disk.

    Parameters
    ----------
    function : callable
        The plain function, which stays as it is. It is kept on disk if it is of this package and
        closes over nothing but numbers and kernels that are kept.
    **options : Any
        As `numba.njit` takes them.

    Returns
    -------
    callable
        The compiled function; its ``py_func`` is the plain one. Under NUMBA_DISABLE_JIT the plain
        one itself.
    """
    closure = _closure(function)
    if closure:
        # the linker knows compiled code by this name, also code that another process compiled
        function.__qualname__ = f"{function.__name__}({', '.join(closure)})"
    dispatcher: Any = njit(function, **options)
    kept = closure is not None and function.__module__.startswith(PACKAGE)
    if kept and hasattr(dispatcher, "py_func"):
        dispatcher._cache = KernelCache(f"{function.__module__}.{function.__qualname__}")
    compiled: Function = dispatcher
    return compiled


class Pointer:
    """
    A compiled function as an argument of compiled code, with its Numba type at hand.

    Numba works the type out anew in every call with a bare function, which takes it longer than
    a few dozen steps of an environment.

    Parameters
    ----------
    kernel : callable
        What `jit` returned.
    signature : numba.core.typing.Signature
        Types of its arguments and of its result.
    """

    def __init__(self, kernel: Any, signature: Any) -> None:
        function: Any = CFunc(kernel.py_func, (signature.args, signature.return_type), {}, {})
        if isinstance(kernel._cache, KernelCache):
            function._cache = KernelCache(f"{kernel._cache.name} as pointer")
        function.compile()
        self._function = function
        self._numba_type_: Any = typeof(function)

    def __wrapper_address__(self) -> int:
        """Address, which Numba asks for under this name."""
        return int(self._function.address)

    def signature(self) -> Any:
        """Types of arguments and result, which Numba asks for under this name."""
        return self._numba_type_.signature


@cache
def place() -> Path | None:
    """
    Folder of the compiled kernels.

    Returns
    -------
    pathlib.Path or None
        In ``NUMBA_CACHE_DIR`` if that is set, else beside the kernels' own files, else in the
        user's cache folder, named by the sources of all kernels; None, with a warning, if nothing
        can be kept in any.
    """
    own = SOURCES / "__pycache__", Path(AppDirs("npvpg", appauthor=False).user_cache_dir)
    stamp = _stamp()
    given = config.CACHE_DIR  # type: ignore[attr-defined]
    for parent in [Path(given).absolute()] if given else own:
        folder = parent / f"npvpg-{stamp}"
        # the user's folder is not absolute if there is no user
        with suppress(OSError):
            if stamp and parent.is_absolute():
                if not folder.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    _forget(parent)
                os.utime(folder)
                if os.access(folder, os.W_OK | os.X_OK):
                    return folder
    warnings.warn(f"compiled kernels are not kept: {NO_PLACE}", RuntimeWarning, stacklevel=2)
    return None


class KernelCache(_Cache):
    """
    What Numba asks of a cache, for one kernel.

    Parameters
    ----------
    name : str
        Its full name, and the names of what it closes over.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def cache_path(self) -> str | None:
        """Folder the kernel is kept in."""
        folder = place()
        return None if folder is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Read compiled code, None if it must be compiled."""
        with trigger_event(READING):
            return self._load(sig, target_context)

    def _load(self, sig: Any, target_context: Any) -> Any:
        """Look for the file, fill Numba's registries, and link what was found."""
        target_context.refresh()
        file = self._file(sig, target_context.codegen())
        if file is None:
            return None
        try:
            content = file.read_bytes()
            check, data = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
            if check != hashlib.sha256(data).digest():
                return None
            return CompileResult._rebuild(target_context, *pickle.loads(data))
        except Exception:  # whatever it is, compiling anew mends it
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, whole or not at all."""
        file = self._file(sig, data.codegen)
        if file is None or data.lifted or data.library.has_dynamic_globals:
            return
        content = dumps(data._reduce())
        part = file.with_name(f"{uuid4().hex}.part")
        try:
            file.parent.mkdir(exist_ok=True)
            part.write_bytes(hashlib.sha256(content).digest() + content)
            part.replace(file)
        except OSError:  # a full disk, say
            with suppress(OSError):
                part.unlink()

    def _file(self, sig: Any, codegen: Any) -> Path | None:
        """File of one signature, named by what the sources do not say."""
        folder = place()
        if folder is None:
            return None
        checked = bool(config.BOUNDSCHECK)  # type: ignore[attr-defined]
        key = repr((self.name, sig, codegen.magic_tuple(), checked))
        short = re.sub(r"[^\w.]+", "-", self.name.replace(f"{PACKAGE}.", "")).strip("-")[:80]
        return folder / f"{short}-{hashlib.sha256(key.encode()).hexdigest()[:20]}.nbc"

    def enable(self) -> None:
        """Do nothing: it is."""

    def disable(self) -> None:
        """Do nothing: what is not wanted is not made."""

    def flush(self) -> None:
        """Do nothing: what is compiled again is saved again."""


def _closure(function: Any) -> tuple[str, ...] | None:
    """Names of what a function closes over; None if one cannot be known by its name."""
    names = []
    for cell in function.__closure__ or ():
        value = cell.cell_contents
        held = getattr(value, "_cache", None)
        if isinstance(held, KernelCache):
            names.append(held.name)
        elif type(value) in (bool, int, float):
            names.append(repr(value))
        else:
            return None
    return tuple(names)


def _stamp() -> str:
    """Hash of the source of every kernel, and of what compiles it; empty if there is no source."""
    files = sorted(SOURCES.rglob("*.py"))
    tools = numba.__version__, sys.implementation.cache_tag, getattr(sys, "abiflags", "")
    digest = hashlib.sha256(repr(tools).encode())
    for file in files:
        digest.update(str(file.relative_to(SOURCES)).encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16] if files else ""


def _forget(parent: Path) -> None:
    """Delete what belongs to sources that have not run for longest."""
    folders = sorted(parent.glob("npvpg-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-KEPT_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)
