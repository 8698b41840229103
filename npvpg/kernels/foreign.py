"""
Functions of a C library, called from compiled code by their address.

The address is an argument, so that compiled code holds none and Numba's disk cache serves every
process.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

_INT = ir.IntType(32)


def call(function: int, model: int, data: int) -> None:
    """
    Call ``void f(const void* model, void* data)``; in compiled code, too.

    Parameters
    ----------
    function, model, data : int
        Addresses.
    """
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    kind(int(function))(int(model), int(data))


def call_with_row(function: int, model: int, data: int, row: int, kind: int) -> None:
    """
    Call ``void f(const void* model, void* data, double* row, int kind)``; in compiled code, too.

    Parameters
    ----------
    function, model, data, row : int
        Addresses.
    kind : int
        What the function is told beside them.
    """
    pointer = ctypes.c_void_p
    typed = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, ctypes.c_int)
    typed(int(function))(int(model), int(data), int(row), int(kind))


def _called(builder: Any, function: Any, given: list[Any]) -> None:
    """Write the call; an address goes where a pointer goes."""
    signature = ir.FunctionType(ir.VoidType(), [each.type for each in given])
    builder.call(builder.inttoptr(function, signature.as_pointer()), given)


@intrinsic
def _call(typing: Any, function: Any, model: Any, data: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        _called(builder, given[0], list(given[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), write


@intrinsic
def _call_with_row(typing: Any, function: Any, model: Any, data: Any, row: Any, kind: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        *words, last = given
        _called(builder, words[0], [*words[1:], builder.trunc(last, _INT)])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), write


@overload(call)
def _typed_call(function: Any, model: Any, data: Any) -> Callable[..., None]:
    """Let compiled code make the call itself."""
    native: Any = _call

    def compiled(function: Any, model: Any, data: Any) -> None:
        native(function, model, data)

    return compiled


@overload(call_with_row)
def _typed_call_with_row(
    function: Any, model: Any, data: Any, row: Any, kind: Any
) -> Callable[..., None]:
    """Let compiled code make the call itself."""
    native: Any = _call_with_row

    def compiled(function: Any, model: Any, data: Any, row: Any, kind: Any) -> None:
        native(function, model, data, row, kind)

    return compiled
