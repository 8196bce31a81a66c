"""Two C functions a model, kept as object code: log density with gradient, and the expansion of a draw.

nutpie's own entry points pass every data array through one tuple: they take a
minute or more to compile, in every process, and a lot of stack. These take a
fixed number of arguments, which a table of addresses and shapes provides, so
that the number of rows may change.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CALL = """
def call(x, table):
{arrays}
    return inner(x, {names})
"""

_LOGP = """
def logp_entry(dim, x_, out_, logp_, table_):
    if dim != {n}:
        return -1
    try:
        value, gradient = call(carray(x_, ({n},)), carray(table_, ({size},), int64))
        out = carray(out_, ({n},))
        out[:] = gradient
        carray(logp_, ())[()] = value[()]
        if not isfinite(value[()]):
            return 4
        for i in range({n}):
            if not isfinite(out[i]):
                return 3
    except Exception:
        return 1
    return 0
"""

_EXPAND = """
def expand_entry(dim, expanded, x_, out_, table_):
    if dim != {n} or expanded != {expanded}:
        return -1
    try:
        (values,) = call(carray(x_, ({n},)), carray(table_, ({size},), int64))
        carray(out_, ({expanded},))[:] = values
    except Exception:
        return -2
    return 0
"""

FLOAT_POINTER = ctypes.POINTER(ctypes.c_double)
LOGP_TYPE = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_uint64, FLOAT_POINTER, FLOAT_POINTER, FLOAT_POINTER, ctypes.c_void_p
)


@dataclass(frozen=True)
class Slot:
    """Where one data array stands in the table: its address, then its shape."""

    name: str
    dtype: str
    ndim: int
    place: int


@dataclass(frozen=True)
class Native:
    """A C function in memory.

    Attributes
    ----------
    address : int
    code : ndarray of uint8
        What :func:`load` makes the same function from in another process.
    alive : object
        Whatever must live as long as the address is used.
    """

    address: int
    code: NDArray[np.uint8]
    alive: Any


def slots_of(arrays: dict[str, NDArray[Any]]) -> list[Slot]:
    """Lay out the table of some arrays."""
    slots, place = [], 0
    for name, values in arrays.items():
        slots.append(Slot(name, values.dtype.name, values.ndim, place))
        place += 1 + values.ndim
    return slots


def fill(slots: Sequence[Slot], numbers: dict[str, NDArray[Any]]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return the table of some numbers, and the arrays that it points to."""
    table: list[int] = []
    kept = []
    for slot in slots:
        values = np.array(numbers[slot.name], dtype=slot.dtype, order="C", copy=True)
        if values.ndim != slot.ndim:
            raise ValueError(f"{slot.name} has {values.ndim} axes, not {slot.ndim}")
        kept.append(values)
        table += [values.ctypes.data, *values.shape]
    return np.array(table or [0], dtype=np.int64), kept


def compile_logp(inner: Callable[..., Any], n: int, slots: Sequence[Slot], names: Sequence[str]) -> Native:
    """Compile nutpie's log density entry around a numba function of the point and named arrays."""
    from numba import types

    pointer = types.CPointer(types.double)
    signature = ((types.uint64, pointer, pointer, pointer, types.voidptr), types.int64)
    return _compile(_LOGP, "logp_entry", signature, inner, slots, names, n=n)


def compile_expand(
    inner: Callable[..., Any], n: int, expanded: int, slots: Sequence[Slot], names: Sequence[str]
) -> Native:
    """Compile nutpie's expansion entry."""
    from numba import types

    pointer = types.CPointer(types.double)
    signature = ((types.uint64, types.uint64, pointer, pointer, types.voidptr), types.int64)
    return _compile(_EXPAND, "expand_entry", signature, inner, slots, names, n=n, expanded=expanded)


def load(code: NDArray[np.uint8]) -> Native:
    """Make a function from its object code."""
    from numba.core.compiler import CompileResult
    from numba.core.registry import cpu_target
    from numba.core.serialize import pickle

    cpu_target.target_context.refresh()
    result = CompileResult._rebuild(cpu_target.target_context, *pickle.loads(code.tobytes()))
    return Native(_address(result), code, result)


def evaluate(
    address: int, x: NDArray[np.float64], table: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]]:
    """Call a log density entry; returns value and gradient."""
    gradient, value = np.zeros_like(x), ctypes.c_double(np.nan)
    call = LOGP_TYPE(address)
    call(
        len(x),
        x.ctypes.data_as(FLOAT_POINTER),
        gradient.ctypes.data_as(FLOAT_POINTER),
        ctypes.pointer(value),
        table.ctypes.data,
    )
    return value.value, gradient


def _compile(
    template: str,
    name: str,
    signature: Any,
    inner: Callable[..., Any],
    slots: Sequence[Slot],
    names: Sequence[str],
    **sizes: int,
) -> Native:
    import numba
    from numba.core.ccallback import CFunc
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.serialize import dumps
    from nutpie.compile_pymc import address_as_void_pointer

    by_name = {slot.name: slot for slot in slots}
    lines = []
    for number, one in enumerate(names):
        slot = by_name[one]
        shape = "".join(f"table[{slot.place + 1 + axis}], " for axis in range(slot.ndim))
        address = f"address_as_void_pointer(table[{slot.place}])"
        lines.append(f"    d{number} = carray({address}, ({shape}), {slot.dtype})")
    sizes |= {"size": max(1, sum(1 + slot.ndim for slot in slots))}
    # numba looks the module up by name when it loads the function again.
    scope: dict[str, Any] = {
        "__name__": __name__,
        "carray": numba.carray,
        "address_as_void_pointer": address_as_void_pointer,
        "isfinite": np.isfinite,
        "int64": np.int64,
        "int32": np.int32,
        "float64": np.float64,
        "inner": inner,
    }
    # A call of more than thirty arguments is beyond numba inside a try block, hence the function between.
    call = _CALL.format(arrays="\n".join(lines), names=", ".join(f"d{i}" for i in range(len(names))))
    exec(compile(call, "<call>", "exec"), scope)
    scope["call"] = numba.njit(inline="always")(scope["call"])
    exec(compile(template.format(**sizes), f"<{name}>", "exec"), scope)
    with global_compiler_lock:
        compiler: Any = CFunc(scope[name], signature, {}, {"nopython": True})
        result = compiler._compile_uncached()
        if result.library.has_dynamic_globals:
            raise ValueError("the compiled code holds addresses of this process")
        code = np.frombuffer(dumps(result._reduce()), dtype=np.uint8)
    return Native(_address(result), code, result)


def _address(result: Any) -> int:
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))
