"""A structure's compiled model: from the cache, or compiled and kept there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.inference import native
from forecast.inference.cache import cache_path, pack, read_entry, write_entry
from forecast.inference.child import compile_apart
from forecast.inference.native import Native, Slot
from forecast.inference.structure import Structure
from forecast.model import Graph, Layout, model_data, pymc_model

if TYPE_CHECKING:
    import pymc as pm

Numbers = dict[str, NDArray[Any]]

TOLERANCE = 1e-9
"""Relative; two compilations of one log density may round differently."""


class CompilingWarning(RuntimeWarning):
    """What makes a start slower than it need be; shown to users in words."""


@dataclass(frozen=True)
class Entry:
    """A compiled model without its numbers.

    Attributes
    ----------
    n, expanded : int
        Unconstrained numbers a draw has, and numbers that are stored of it.
    names, shapes : list
        Of the stored variables; the free ones come first.
    transformed : list of str
        Free variables that are transforms of a stored one.
    slots : list of Slot
        Where the data stand in the table.
    logp, expand : Native
    """

    n: int
    expanded: int
    names: list[str]
    shapes: list[tuple[int, ...]]
    transformed: list[str]
    slots: list[Slot]
    logp: Native
    expand: Native

    def log_density(self, x: NDArray[np.float64], numbers: Numbers) -> tuple[float, NDArray[np.float64]]:
        """Return log density and gradient at an unconstrained point."""
        table, kept = native.fill(self.slots, numbers)
        x = np.ascontiguousarray(x, dtype=np.float64)  # compiled code takes an address, not strides
        value, gradient = native.evaluate(self.logp.address, x, table)
        del kept  # it had to live until here: the table holds addresses
        return value, gradient


def obtain(structure: Structure, graph: Graph, layout: Layout) -> tuple[Any, bool]:
    """Load or compile the model of a structure.

    Parameters
    ----------
    structure : Structure
    graph : Graph
    layout : Layout

    Returns
    -------
    code : Entry, or nutpie's compiled model if our own could not be made
    loaded : bool
        From the cache.
    """
    path = cache_path(structure)
    if os.path.exists(path):
        try:
            return load_entry(path), True
        except Exception as error:  # whatever a damaged file does, the model can be compiled again
            _warn(f"the compiled model {path} could not be used ({_said(error)}); compiling it again")
    model, numbers = pymc_model(graph, layout), model_data(graph, layout)
    try:
        content, reason = compile_apart(path, model, layout, numbers)
        entry = load_entry(BytesIO(content) if content else path)
        if content:
            _warn(
                f"the compiled model could not be kept in {path.parent} ({reason}), so that the next process "
                "compiles it again; FORECAST_CACHE names another folder"
            )
        return entry, False
    except Exception as error:  # private parts of numba or nutpie may have changed
        _warn(f"the compiled model could not be kept ({_said(error)}); this process compiles its own")
    import nutpie

    return nutpie.compile_pymc_model(model), False


def compile_entry(model: pm.Model, layout: Layout, numbers: Numbers) -> tuple[Entry, Numbers]:
    """Compile a model, and check the result against PyTensor's own function.

    Returns
    -------
    entry : Entry
    guard : dict of str to ndarray
        A point, and the log density and gradient there.

    Raises
    ------
    ValueError
        They differ, or the code holds addresses of this process.
    """
    from nutpie.compile_pymc import _make_functions
    from pymc.initial_point import make_initial_point_fn

    initial = make_initial_point_fn(model=model, return_transformed=True)
    n, expanded, logp, expand, _, (names, _, shapes), transformed = _make_functions(
        model, mode="NUMBA", compute_grad=True, join_expanded=True, pymc_initial_point_fn=initial
    )
    n, expanded = int(n), int(expanded)
    slots = native.slots_of({name: model[name].get_value(borrow=True) for name in numbers})
    logp_names = [shared.name for shared in logp.get_shared()]
    expand_names = [shared.name for shared in expand.get_shared()]
    entry = Entry(
        n=n,
        expanded=expanded,
        names=list(names),
        shapes=[tuple(int(size) for size in shape) for shape in shapes],
        transformed=list(transformed),
        slots=slots,
        logp=native.compile_logp(logp.vm.jit_fn, n, slots, logp_names),
        expand=native.compile_expand(expand.vm.jit_fn, n, expanded, slots, expand_names),
    )
    point = starting_point(names, n, layout) + 0.1 * np.sin(np.arange(1.0, n + 1.0))
    value, gradient = (np.asarray(one) for one in logp(point))
    guard = {"point": point, "value": value, "gradient": gradient}
    _check(entry, numbers, guard)
    return entry, guard


def save_entry(place: Path | IO[bytes], entry: Entry, numbers: Numbers, guard: Numbers) -> None:
    """Write a compiled model to a path or an open file, with what :func:`load_entry` tries it with."""
    meta = {
        "n": entry.n,
        "expanded": entry.expanded,
        "names": entry.names,
        "shapes": entry.shapes,
        "transformed": entry.transformed,
        "slots": [asdict(slot) for slot in entry.slots],
    }
    code = {"code.logp": entry.logp.code, "code.expand": entry.expand.code}
    tried = {f"guard.{name}": values for name, values in guard.items()}
    data = {f"data.{slot.name}": np.asarray(numbers[slot.name]) for slot in entry.slots}
    if isinstance(place, Path):
        write_entry(place, meta, code | tried | data)
    else:
        pack(place, meta, code | tried | data)


def load_entry(path: Path | IO[bytes]) -> Entry:
    """Read a compiled model and try it at the point that it was saved with.

    Raises
    ------
    Exception
        Of any kind, when the file is damaged or gives another log density.
    """
    meta, arrays = read_entry(path)
    entry = Entry(
        n=meta["n"],
        expanded=meta["expanded"],
        names=meta["names"],
        shapes=[tuple(shape) for shape in meta["shapes"]],
        transformed=meta["transformed"],
        slots=[Slot(**slot) for slot in meta["slots"]],
        logp=native.load(arrays["code.logp"]),
        expand=native.load(arrays["code.expand"]),
    )
    numbers = {slot.name: arrays[f"data.{slot.name}"] for slot in entry.slots}
    _check(entry, numbers, {name: arrays[f"guard.{name}"] for name in ("point", "value", "gradient")})
    return entry


def starting_point(names: Sequence[str], n: int, layout: Layout) -> NDArray[np.float64]:
    """Return the prior medians on the sampler's unconstrained scale.

    Parameters
    ----------
    names : sequence of str
        PyMC's names of the free variables, in their order; more may follow.
    n : int
        Unconstrained numbers a draw has.
    layout : Layout
    """
    first = 1 if len(layout.affine) else 0
    names = names[first : first + len(layout.other)]
    priors = [layout.entries[index].prior for index in layout.other]
    others = [
        sampler_scale(prior.centre(), prior.support(), name)
        for prior, name in zip(priors, names, strict=True)
    ]
    return np.concatenate([np.zeros(n - len(others)), others])


STARTS = 50
"""Points that a chain may start at."""


def jittered(
    start: NDArray[np.float64], log_density: Callable[[NDArray[np.float64]], float] | None = None
) -> Callable[[int | None], NDArray[np.float64]]:
    """Return a function from a seed to a starting point within one of `start`.

    With a log density it is the best of :data:`STARTS`, still far from the mode and from those of other
    chains. One in some ten points lies where the density is e^-20,000, and a chain that began there took
    eight times as many steps to warm up as each of the others.
    """

    def draw(seed: int | None = None) -> NDArray[np.float64]:
        tried = 1 if log_density is None else STARTS
        points = start + np.random.default_rng(seed).uniform(-1.0, 1.0, (tried, len(start)))
        if log_density is None:
            return np.asarray(points[0])
        values = np.array([log_density(point) for point in points])
        return np.asarray(points[int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))])

    return draw


def sampler_scale(values: ArrayLike, support: tuple[float, float], name: str) -> NDArray[np.float64]:
    """Move values by the transform that PyMC's name of their variable tells.

    Parameters
    ----------
    values : array_like
        Of a parameter, in its unit.
    support : (float, float)
        Of its prior.
    name : str
        PyMC's, of the variable on the sampler's scale.
    """
    x, (low, high) = np.asarray(values, dtype=float), support
    if name.endswith("_log__"):
        return np.asarray(np.log(x))
    if name.endswith(("_logodds__", "_interval__")):
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(np.log(x - low) - np.log(high - x))
        return np.asarray(np.log(x - low) if np.isfinite(low) else np.log(high - x))
    return x


def _check(entry: Entry, numbers: Numbers, guard: Numbers) -> None:
    value, gradient = entry.log_density(guard["point"], numbers)
    if not (
        np.allclose(value, guard["value"], rtol=TOLERANCE, atol=TOLERANCE)
        and np.allclose(gradient, guard["gradient"], rtol=1e-6, atol=1e-6)
    ):
        expected = float(guard["value"])
        raise ValueError(f"its log density at a fixed point is {value:.12g}, not {expected:.12g}")


def _warn(message: str) -> None:
    warnings.warn(message, CompilingWarning, stacklevel=4)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no more is known'}"[:200]
