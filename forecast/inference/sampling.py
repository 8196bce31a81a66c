"""Compile once per structure, sample with NUTS."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.errors import ForecastError
from forecast.inference.cache import cache_path
from forecast.inference.structure import Structure
from forecast.model import Graph, Layout, flat_draws, model_data, pymc_model

TARGET_ACCEPT = 0.95
"""Below it the default model's allocation and ceiling divergences are not all gone."""

Sampler = Literal["nutpie", "pymc"]
Progress = Callable[[int, int], None]
"""Called with draws done (warm-up included) and in all, over all chains."""

_STAT_NAMES = {
    "depth": "tree_depth",
    "logp": "lp",
    "mean_tree_accept": "acceptance_rate",
    "maxdepth_reached": "reached_max_treedepth",
}


@dataclass(frozen=True)
class SamplerSettings:
    """How to sample.

    Attributes
    ----------
    draws, tune, chains : int
        Per chain, warm-up per chain, and their number.
    cores : int or None
        Chains run at a time; None for as many as the machine has.
    sampler : {"nutpie", "pymc"}
    target_accept : float
    """

    draws: int = 1500
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    sampler: Sampler = "nutpie"
    target_accept: float = TARGET_ACCEPT


@dataclass(frozen=True)
class Compiled:
    """A structure's compiled model.

    Attributes
    ----------
    structure : Structure
    sampler : {"nutpie", "pymc"}
    code : object
        An entry of ours or nutpie's own compiled model; for the sampler
        `pymc`, the PyMC model.
    """

    structure: Structure
    sampler: Sampler
    code: Any


@dataclass
class Compiler:
    """Keeps compiled models by structure; changed numbers compile nothing.

    Attributes
    ----------
    compilations : int
        How many models this compiler compiled so far.
    loads : int
        How many it found on disk, compiled by this process or an earlier one.
    """

    compilations: int = 0
    loads: int = 0
    _kept: list[Compiled] = field(default_factory=list)

    def is_ready(self, graph: Graph, layout: Layout, sampler: Sampler = "nutpie") -> bool:
        """Whether sampling can start without compiling, as far as one can tell without trying."""
        structure = Structure.of(graph, layout)
        if self._find(structure, sampler) is not None:
            return True
        return sampler == "nutpie" and os.path.exists(cache_path(structure))

    def compiled(self, graph: Graph, layout: Layout, sampler: Sampler = "nutpie") -> Compiled:
        """Return the compiled model of a graph's structure, compiling it if it is new."""
        structure = Structure.of(graph, layout)
        found = self._find(structure, sampler)
        if found is None:
            loaded = False
            if sampler == "nutpie":
                from forecast.inference.compiling import obtain

                code, loaded = obtain(structure, graph, layout)
            else:
                code = pymc_model(graph, layout)
            found = Compiled(structure, sampler, code)
            self._kept.append(found)
            self.loads += loaded
            self.compilations += not loaded
        return found

    def _find(self, structure: Structure, sampler: Sampler) -> Compiled | None:
        for kept in self._kept:
            if kept.sampler == sampler and kept.structure == structure:
                return kept
        return None


def sample(
    graph: Graph,
    layout: Layout,
    settings: SamplerSettings,
    *,
    seed: int,
    compiler: Compiler,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float64], xr.Dataset]:
    """Sample the inferred parameters.

    Parameters
    ----------
    graph : Graph
        On the history grid.
    layout : Layout
        Of the inferred parameters.
    settings : SamplerSettings
    seed : int
    compiler : Compiler
    progress : callable, optional

    Returns
    -------
    draws : ndarray, (chain, draw, number)
        In the order of the layout.
    stats : xarray.Dataset
        Sampler statistics under ArviZ's names, dims chain, draw.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; nothing is returned.
    ForecastError
        The sampler failed.
    """
    if settings.sampler == "nutpie":
        running = begin(graph, layout, settings, seed=seed, compiler=compiler, progress=progress)
        try:
            while not running.is_finished:  # waiting in short spells keeps Ctrl-C prompt
                time.sleep(0.05)
            return running.result()
        except KeyboardInterrupt:
            running.cancel()
            raise
    compiled = compiler.compiled(graph, layout, settings.sampler)
    with _failures_in_words():
        tree = _with_pymc(compiled.code, layout, model_data(graph, layout), settings, seed, progress)
    return _draws(layout, tree)


@dataclass(frozen=True)
class Sampling:
    """A fit under way, in threads of nutpie's own.

    Attributes
    ----------
    layout : Layout
    """

    layout: Layout
    _sampler: Any = field(repr=False)

    @property
    def is_finished(self) -> bool:
        """Whether :meth:`result` returns at once."""
        with _failures_in_words():
            try:
                return bool(self._sampler.is_finished)
            except TimeoutError:  # it is too busy to answer
                return False

    def result(self) -> tuple[NDArray[np.float64], xr.Dataset]:
        """Wait for the end, and return what :func:`sample` returns."""
        with _failures_in_words():
            tree = self._sampler.wait()
        return _draws(self.layout, tree)

    def cancel(self) -> None:
        """Stop; there is no result then."""
        self._sampler.cancel()


def begin(
    graph: Graph,
    layout: Layout,
    settings: SamplerSettings,
    *,
    seed: int,
    compiler: Compiler,
    progress: Progress | None = None,
    start: NDArray[np.float64] | None = None,
) -> Sampling:
    """Begin to sample with nutpie, and return at once; parameters are those of :func:`sample`.

    Parameters
    ----------
    start : ndarray, (number,), optional
        Values at which every chain starts, in the order of the layout; near
        the prior medians without it.
    """
    import nutpie

    code = compiler.compiled(graph, layout).code
    total = settings.chains * (settings.draws + settings.tune)
    with _failures_in_words():
        sampler = nutpie.sample(
            _with_numbers(code, layout, model_data(graph, layout), start),
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=settings.cores,
            seed=seed,
            save_warmup=False,
            progress_bar=False,
            target_accept=settings.target_accept,
            blocking=False,
            progress_callback=_counter(progress, total),
            progress_rate=200,
        )
    return Sampling(layout, sampler)


@contextmanager
def _failures_in_words() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # PyMC's SamplingError is a RuntimeError
        raise ForecastError(f"sampling failed: {error}") from error


def _draws(layout: Layout, tree: Any) -> tuple[NDArray[np.float64], xr.Dataset]:
    posterior = {name: np.asarray(values) for name, values in tree["posterior"].data_vars.items()}
    shape = next(iter(posterior.values())).shape[:2]
    size = shape[0] * shape[1]
    stacked = {name: values.reshape(size, *values.shape[2:]) for name, values in posterior.items()}
    flat = flat_draws(layout, stacked)
    return flat.reshape(*shape, flat.shape[-1]), _stats(tree["sample_stats"].to_dataset())


def _with_pymc(
    code: Any,
    layout: Layout,
    numbers: dict[str, NDArray[Any]],
    settings: SamplerSettings,
    seed: int,
    progress: Progress | None,
) -> Any:
    done = 0
    total = settings.chains * (settings.draws + settings.tune)

    def tick(**_: Any) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    import pymc as pm

    with code:
        pm.set_data(numbers)
        return pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=1,  # chains in worker processes would report no progress and ignore Ctrl-C
            random_seed=seed,
            nuts_sampler="pymc",
            nuts={"target_accept": settings.target_accept},
            progressbar=False,
            callback=lambda trace, draw: tick(),
            compute_convergence_checks=False,
        )


def _with_numbers(
    code: Any, layout: Layout, numbers: dict[str, NDArray[Any]], start: NDArray[np.float64] | None
) -> Any:
    """Return the model that nutpie samples."""
    from forecast.inference.compiling import Entry, jittered, starting_point
    from forecast.inference.nutpie_model import NativeModel
    from forecast.inference.points import unconstrained

    ours = isinstance(code, Entry)
    names = code.names if ours else code.shape_info[0]
    if start is None:
        point = starting_point(names, code.n if ours else code.n_dim, layout)
    else:
        point = unconstrained(names, layout, start[None])[0]
    if ours:
        return NativeModel.of(code, numbers, point, exact=start is not None)
    # Numbers that the log density does not need dropped out of the graph.
    known = {variable.name for variable in code.shared_var_keys}
    model = code.with_data(**{name: values for name, values in numbers.items() if name in known})
    first = jittered(point) if start is None else lambda seed=None: point.copy()
    return replace(model, initial_point_func=first)


def _counter(progress: Progress | None, total: int) -> Callable[[Sequence[Any]], None] | None:
    """Return what nutpie calls from a thread of its own with the state of every chain."""
    if progress is None:
        return None
    return lambda chains: progress(min(total, sum(chain.finished_draws for chain in chains)), total)


def _stats(stats: xr.Dataset) -> xr.Dataset:
    """Return the scalar statistics under ArviZ's names."""
    kept = [name for name in stats.data_vars if set(stats[name].dims) == {"chain", "draw"}]
    renamed = {old: new for old, new in _STAT_NAMES.items() if old in kept and new not in kept}
    return stats[kept].rename(renamed)
