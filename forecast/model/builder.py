"""The model that drivers see as ``m``: quantities are pulled, never ordered.

Asking for a quantity closes it: its base, channels, additions and limits are
built then, recursively, so a cycle shows itself as a path and what each term
reads is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike, NDArray

from forecast.dates import decimal_year
from forecast.driver import Term
from forecast.errors import ForecastError, InputError, PluginError
from forecast.model import maths
from forecast.model.graph import Graph, Key, Likelihood, Quantity, Spec
from forecast.model.grid import EPOCH, Grid
from forecast.model.interventions import Intervention
from forecast.model.maths import Tensor
from forecast.model.observations import Observations, PrepareContext
from forecast.model.parameters import absent_blocs, parameter_shape

OFF = 1e3
"""Added to a limit (in OOM) that does not apply; softmin then ignores it exactly."""

EMPTY_CHANNELS = 1e-6
"""Floor of a sum of channels that were all shut, in its unit: log10(0) has no gradient."""


@dataclass
class _Frame:
    """A term being built, for messages and for what it reads."""

    term: Term
    reads: set[Key] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    absent: dict[str, Key] = field(default_factory=dict)
    unlimited: set[str] = field(default_factory=set)


class Data:
    """Columns of an evidence table as tensors, by attribute or by key."""

    def __init__(self, model: Model, label: str, observations: Observations) -> None:
        self._model, self._label = model, label
        self.observations = observations

    def __len__(self) -> int:
        return len(self.observations)

    def __getitem__(self, column: str) -> Tensor:
        columns = self.observations.columns
        if column not in columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(sorted(columns))}")
        return self._model.constant(f"{self._label}.{column}", columns[column])

    def __getattr__(self, column: str) -> Tensor:
        if column.startswith("_"):
            raise AttributeError(column)
        try:
            return self[column]
        except KeyError as error:
            raise AttributeError(str(error)) from None


class Model:
    """Builds the graph of one grid and offers drivers what they need.

    Parameters
    ----------
    spec : Spec
    grid : Grid
        Up to the as-of date for inference, to the horizon for projection.
    projecting : bool
        Whether shocks are drawn after the as-of date.
    interventions : sequence of Intervention
        Changes to the future; only when projecting.

    Attributes
    ----------
    years : tensor, (1, time)
        Years since 2024-01-01 at month starts.
    as_of : tensor, ()
        The as-of date in the same years.
    """

    def __init__(
        self,
        spec: Spec,
        grid: Grid,
        *,
        projecting: bool = False,
        interventions: Sequence[Intervention] = (),
    ) -> None:
        self.spec, self.grid, self.projecting = spec, grid, projecting
        self.graph = Graph(spec=spec, months=grid.months, decimal=grid.decimal)
        self._frames: list[_Frame] = []
        self._by_target: dict[str, list[Term]] = {}
        for term in spec.terms:
            self._by_target.setdefault(term.target, []).append(term)
        self._interventions = list(interventions)
        self._used: set[int] = set()
        self._dates = 0
        self._seen_terms: set[str] = set()
        self.years: Tensor = self.constant("years", grid.years, fixed=True)[None, :]
        self.as_of: Tensor = self.constant("as_of", np.asarray(decimal_year(spec.as_of) - EPOCH))

    # What drivers read ---------------------------------------------------------------------

    @property
    def blocs(self) -> tuple[str, ...]:
        """Names along the bloc axis."""
        return self.spec.blocs

    @property
    def as_of_date(self) -> date:
        """The as-of date as a date; arithmetic with it belongs in ``at_date`` and ``since_2024``."""
        return self.spec.as_of

    def since_2024(self, day: date) -> Tensor:
        """A date in the years of ``m.years``, as data; ()."""
        self._dates += 1
        return self.constant(f"date.{self._dates}", np.asarray(decimal_year(day) - EPOCH))

    @property
    def after(self) -> Tensor:
        """Years since the as-of date, zero before it; (1, time)."""
        return pt.maximum(self.years - self.as_of, 0.0)

    @property
    def before(self) -> Tensor:
        """``m.years``, held at the as-of date after it; (1, time)."""
        return pt.minimum(self.years, self.as_of)

    def __getitem__(self, name: str) -> Tensor:
        """A parameter of this driver, ``driver.parameter`` of another, or a quantity."""
        if self._frames and (self._frames[-1].term.driver, name) in self.spec.parameters:
            return self.parameter(name)
        if "." in name and tuple(name.split(".", 1)) in self.spec.parameters:
            return self.parameter(name)
        if self._provider(name) is None:
            self._unknown(name)
        return self.quantity(name)

    def get(self, name: str) -> Tensor | None:
        """Like ``m[name]`` for a quantity, or None where no driver provides it."""
        return None if self._provider(name) is None else self.quantity(name)

    def parameter(self, name: str) -> Tensor:
        """A parameter: (), (bloc, 1), or (bloc, epoch) where it has epochs.

        Parameters
        ----------
        name : str
            Of the driver being built, or ``driver.parameter``.
        """
        driver, _, rest = name.rpartition(".")
        key = (driver or self._frames[-1].term.driver, rest)
        if key not in self.spec.parameters:
            self._unknown(name)
        resolved = self.spec.parameters[key]
        if key not in self.graph.parameters:
            shape = parameter_shape(resolved, self.blocs)
            self.graph.parameters[key] = pt.tensor(name=".".join(key), dtype="float64", shape=shape)
        if self._frames:
            self._frames[-1].reads.add(key)
            for bloc in absent_blocs(resolved, self.blocs):
                self._frames[-1].absent.setdefault(bloc, key)
        return self.graph.parameters[key]

    def by_epoch(self, name: str) -> Tensor:
        """A parameter with one value an epoch, as a step function; (bloc, time)."""
        values = self.parameter(name)
        driver, _, rest = name.rpartition(".")
        key = (driver or self._frames[-1].term.driver, rest)
        starts = np.array([decimal_year(day) for _, day in self.spec.parameters[key].epochs])
        ends = np.append(starts[1:], np.inf)
        starts = np.concatenate([[-np.inf], starts[1:]])
        now = self.grid.decimal[None, :]
        inside = ((now >= starts[:, None]) & (now < ends[:, None])).astype(float)
        weights = self.constant(f"epochs.{'.'.join(key)}", inside, fixed=True)
        return pt.sum(values[:, :, None] * weights[None, :, :], axis=1)

    def quantity(self, name: str) -> Tensor:
        """A trajectory with all its terms; (bloc, time). Closes it at first use."""
        if name not in self.graph.quantities:
            self._close(name)
        closed = self.graph.quantities[name]
        if self._frames:
            self._frames[-1].reads |= closed.reads
            self._frames[-1].needs.add(name)
            self._frames[-1].unlimited |= {b for b, there in zip(self.blocs, closed.present, strict=True) if not there}
        return closed.tensor

    def channel(self, quantity: str, name: str) -> Tensor:
        """One channel of a sum of channels, as a linear flow; (bloc, time), zero where a bloc lacks it."""
        self.quantity(quantity)
        channels = self.graph.quantities[quantity].channels
        if name not in channels:
            raise KeyError(f"{quantity} has no channel {name!r}; it has {', '.join(channels) or 'none'}")
        return channels[name]

    # Operations ----------------------------------------------------------------------------

    def lagged(self, x: Tensor, lag: Any) -> Tensor:
        """`x` a `lag` (years, not negative) earlier, clamped to the grid; (bloc, time)."""
        return maths.lagged(self._on_blocs(x), lag)

    def integral(self, x: Tensor, *, lifetime: Any = None, initial: Any = None) -> Tensor:
        """Solution of dy/dt = x - y/lifetime from the grid's start; linear units."""
        return maths.integral(x, self.years, lifetime=lifetime, initial=initial)

    def softmin(self, first: Tensor, *others: Tensor, sharpness: float = 4.0) -> Tensor:
        """Soft minimum of log10 quantities."""
        return maths.softmin(first, *others, sharpness=sharpness)

    def softmax(self, first: Tensor, *others: Tensor, sharpness: float = 4.0) -> Tensor:
        """Soft maximum of log10 quantities."""
        return maths.softmax(first, *others, sharpness=sharpness)

    def max_over_blocs(self, x: Tensor) -> Tensor:
        """The leader's value; (1, time)."""
        return pt.max(x, axis=-2, keepdims=True)

    def at_date(self, x: Tensor, day: date | float) -> Tensor:
        """`x` at one date (clamped to the grid), keeping the last axis; (bloc, 1).

        Parameters
        ----------
        x : tensor, (bloc, time)
        day : datetime.date or float
            A date, or years since 2024-01-01.
        """
        when = decimal_year(day) if isinstance(day, date) else day + EPOCH
        when = float(np.clip(when, self.grid.decimal[0], self.grid.decimal[-1]))
        left, fraction = self.grid.locate(np.array([when]))
        # A number a call, not a date: another as-of date must give the same structure.
        self._dates += 1
        place = self.constant(f"date.{self._dates}.left", left, fixed=True)
        part = self.constant(f"date.{self._dates}.fraction", fraction, fixed=True)
        return x[..., place] * (1.0 - part) + x[..., place + 1] * part

    def at(self, x: Tensor, data: Data) -> Tensor:
        """Value of `x` at each row's bloc and date, interpolated; (row,)."""
        left, fraction = self._place(data, "at", data.observations.columns["date"])
        return _interpolated(self._on_blocs(x), left, fraction)

    def mean_over(self, x: Tensor | Mapping[str, Tensor], data: Data) -> Tensor:
        """log10 of the mean flow over each row's period, which ends at its date; (row,).

        Parameters
        ----------
        x : tensor, (bloc, time), or mapping of str to tensor
            The flow (linear units). With a mapping, the row's text column
            ``series`` (given to ``context.observations``) says which.
        data : Data
        """
        columns = data.observations.columns
        if np.any(columns["period"] <= 0):
            raise ValueError("mean_over needs a positive period_months in every row")
        if isinstance(x, Mapping):
            flows = pt.concatenate([self._on_blocs(flow) for flow in x.values()], axis=0)
            names = list(x)
            offset = len(self.blocs) * np.array([names.index(name) for name in data.observations.series], dtype=np.int64)
        else:
            flows, offset = self._on_blocs(x), np.zeros(len(data), dtype=np.int64)
        total = maths.cumulative(flows, self.years)
        ends, starts = columns["date"] + 1 / 365, columns["date"] + 1 / 365 - columns["period"]
        ends = np.minimum(ends, self.grid.decimal[-1])
        end = _interpolated(total, *self._place(data, "end", ends, offset))
        start = _interpolated(total, *self._place(data, "start", starts, offset))
        width = self.constant(f"{data._label}.width", ends - starts)
        return pt.log10((end - start) / width)

    def per_bloc(self, x: Tensor, data: Data) -> Tensor:
        """A per-bloc number for each row: x of shape (bloc, 1) to (row,)."""
        bloc = self.constant(f"{data._label}.bloc", self._bloc(data))
        return self._on_blocs(x, time=False)[bloc, 0]

    def shock(self, name: str, *, scale: Any, persistence: Any, bloc_share: Any = 0.0) -> Tensor:
        """A random path of growth, zero up to the as-of date; (bloc, time) in OOM.

        Parameters
        ----------
        name : str
            Names the random stream; the same name gives the same draws.
        scale : tensor or float
            Stationary standard deviation of the growth rate, OOM/year.
        persistence : tensor or float
            e-folding time of the rate, years.
        bloc_share : tensor or float
            Share of the variance that is each bloc's own.
        """
        if not self.projecting:
            return pt.zeros((len(self.blocs), 1))
        if name not in self.graph.shocks:
            self.graph.shocks[name] = (
                pt.tensor(name=f"shock.{name}.common", dtype="float64", shape=(1, len(self.grid.years))),
                pt.tensor(
                    name=f"shock.{name}.own", dtype="float64", shape=(len(self.blocs), len(self.grid.years))
                ),
            )
        common, own = self.graph.shocks[name]
        return maths.shock_path(
            common,
            own,
            self.years,
            self.as_of,
            scale=scale,
            persistence=persistence,
            bloc_share=bloc_share,
        )

    def term(self, name: str, x: Tensor) -> Tensor:
        """A part of a term that an intervention may switch off by name.

        From its date on, `x` then keeps the value it had: what was reached
        stays reached.
        """
        self._seen_terms.add(name)
        for change in self._changes("term", name):
            start = self._start(change)
            frozen = self.at_date(x, start)
            x = pt.switch(self._active(change), frozen, x)
        return x

    def constant(self, name: str, values: ArrayLike, *, fixed: bool = False) -> Tensor:
        """Numbers as a named input of the graph, so that changing them compiles nothing.

        Parameters
        ----------
        name : str
        values : array_like
        fixed : bool
            The shape belongs to the structure: compiled code may rely on it.
        """
        array = np.asarray(values)
        if array.dtype.kind in "bui":
            array = array.astype("int32")  # as pm.Data stores integers
        if name not in self.graph.data:
            symbol = pt.tensor(name=name, dtype=str(array.dtype), shape=array.shape if fixed else (None,) * array.ndim)
            self.graph.data[name] = (symbol, array)
        return self.graph.data[name][0]

    # Measurement models --------------------------------------------------------------------

    def normal(self, data: Data, *, mean: Tensor, sd: Tensor, value: str = "value") -> None:
        """Rows are normal draws: `value` names the column, `sd` includes its error."""
        self._observe("normal", data, value, mean, sd)

    def student_t(self, data: Data, *, mean: Tensor, sd: Tensor, nu: Any, value: str = "value") -> None:
        """Rows are Student-t draws with scale `sd` and `nu` degrees of freedom."""
        self._observe("student_t", data, value, mean, sd, nu=nu)

    def censored_normal(
        self, data: Data, *, mean: Tensor, sd: Tensor, upper: str = "limit", value: str = "value"
    ) -> None:
        """Normal draws of which one at or above the column `upper` says only "at least that"."""
        self._observe("censored_normal", data, value, mean, sd, upper=data[upper], bound=upper)

    # Building ------------------------------------------------------------------------------

    def close(self) -> Graph:
        """Build every quantity that a driver provides, and return the graph."""
        for name in self._by_target:
            if self._provider(name) is not None:
                self.quantity(name)
        for position, change in enumerate(self._interventions):
            if position not in self._used:
                self._unknown_intervention(change)
        return self.graph

    def observe(self) -> None:
        """Build every measurement model."""
        context = PrepareContext(as_of=self.spec.as_of, blocs=self.blocs)
        for term in self.spec.terms:
            if term.kind != "observation":
                continue
            table = self.spec.evidence[term.driver, term.target]
            with self._building(term) as frame:
                prepared = (term.prepare or PrepareContext.observations)(
                    *((table, context) if term.prepare else (context, table))
                )
                term.build(self, Data(self, self._label(term), prepared))
            self.graph.inferred |= frame.reads
            self.graph.needs.setdefault(term.driver, set()).update(frame.needs)

    def _close(self, name: str) -> None:
        path = [frame.term.target for frame in self._frames if frame.term.kind != "observation"]
        if name in path:
            cycle = [*path[path.index(name) :], name]
            who = self._frames[-1].term.driver
            raise PluginError(
                f"quantities depend on each other in a circle: {' -> '.join(cycle)}",
                driver=who,
                distribution=self.spec.distributions.get(who),
            )
        base = self._provider(name)
        if base is None:
            self._unknown(name)
        terms = self._by_target[name]
        reads: set[Key] = set()
        needs: set[str] = set()
        channels: dict[str, Tensor] = {}
        present = np.ones(len(self.blocs), dtype=bool)
        if base.channels:
            value, present = self._sum_channels(name, terms, channels, reads, needs)
        else:
            value, _ = self._build(base, reads, needs)
        for term in terms:
            if term.kind == "addition":
                extra, missing = self._build(term, reads, needs)
                value = value + (self._mask(~missing) * extra if missing.any() else extra)
        bounds = []
        for term in terms:
            if term.kind == "limit":
                bound, missing = self._build(term, reads, needs)
                bounds.append(self._bounded(term, bound, missing))
        if bounds:
            value = maths.softmin(value, *bounds, sharpness=base.sharpness)
        for change in self._changes("quantity", name):
            changed = value + change.add if change.add is not None else change.level
            value = pt.switch(self._active(change), changed, value)
        self.graph.quantities[name] = Quantity(
            name=name,
            tensor=value,
            unit=base.unit,
            linear=base.linear,
            title=base.title or name.replace("_", " "),
            owner=base.driver,
            present=present,
            success=base.success,
            channels=channels,
            reads=reads,
            needs=needs,
        )

    def _sum_channels(
        self,
        name: str,
        terms: list[Term],
        channels: dict[str, Tensor],
        reads: set[Key],
        needs: set[str],
    ) -> tuple[Tensor, NDArray[np.bool_]]:
        present = np.zeros(len(self.blocs), dtype=bool)
        total: Any = 0.0
        for term in terms:
            if term.kind != "channel" or term.channel is None:
                continue
            flow, missing = self._build(term, reads, needs)
            flow = 10.0**flow
            if missing.any():
                flow = flow * self._mask(~missing)
            for change in self._changes("channel", term.channel, of=name):
                flow = flow * pt.switch(self._active(change), change.scale, 1.0)
            channels[term.channel] = flow
            present |= ~missing
            total = total + flow
        if not channels:
            return pt.zeros((len(self.blocs), 1)) + 0.0 * self.years, present
        total = total + self._mask(~present)
        if any(change.kind == "channel" for change in self._interventions):
            total = pt.maximum(total, EMPTY_CHANNELS)
        return pt.log10(total), present

    def _bounded(self, term: Term, bound: Tensor, missing: NDArray[np.bool_]) -> Tensor:
        """A limit, lifted out of the way where it does not apply."""
        name = term.build.__name__
        if missing.any():
            bound = bound + OFF * self._mask(missing)
        for change in self._changes("limit", name):
            bound = bound + pt.switch(self._active(change), OFF, 0.0)
        return bound

    def _build(self, term: Term, reads: set[Key], needs: set[str]) -> tuple[Tensor, NDArray[np.bool_]]:
        """Build one term; returns it on (bloc, time) and which blocs lack a parameter of it."""
        with self._building(term) as frame:
            value = self._on_blocs(self._checked(term, term.build(self)))
        reads |= frame.reads
        needs |= frame.needs
        self.graph.needs.setdefault(term.driver, set()).update(frame.needs)
        if term.kind == "base" and frame.absent:
            bloc, (driver, name) = next(iter(frame.absent.items()))
            raise InputError(
                f"[priors.{driver}] {name}: bloc {bloc!r} has no prior for it, and {term.target} needs one; "
                f"give a general prior, or one under [priors.{driver}.by_bloc.{bloc}]"
            )
        missing = set(frame.absent) | (frame.unlimited if term.kind == "limit" else set())
        return value, np.array([bloc in missing for bloc in self.blocs])

    @contextmanager
    def _building(self, term: Term) -> Iterator[_Frame]:
        frame = _Frame(term)
        self._frames.append(frame)
        try:
            yield frame
        except ForecastError:
            raise
        except Exception as error:
            where = f"{term.build.__name__} ({term.kind} of {term.target})"
            raise PluginError(
                f"{where} failed: {type(error).__name__}: {error}",
                driver=term.driver,
                distribution=self.spec.distributions.get(term.driver),
            ) from error
        finally:
            self._frames.pop()

    def _checked(self, term: Term, value: Any) -> Tensor:
        if value is None:
            raise TypeError("it returned None where a tensor is needed")
        tensor = pt.as_tensor_variable(value)
        n_bloc = len(self.blocs)
        if tensor.ndim > 2 or (
            tensor.ndim == 2 and tensor.type.shape[0] is not None and tensor.type.shape[0] not in (1, n_bloc)
        ):
            raise ValueError(
                f"its shape is {tensor.type.shape}, which does not fit (bloc, time) with {n_bloc} blocs"
            )
        if tensor.ndim == 1:
            raise ValueError("it has one axis; use (bloc, 1), (1, time) or (bloc, time)")
        return tensor

    def _on_blocs(self, x: Any, *, time: bool = True) -> Tensor:
        """`x` with a full bloc axis (and time axis)."""
        tensor = pt.as_tensor_variable(x)
        if tensor.ndim < 2:
            tensor = pt.reshape(tensor, (1, 1)) if tensor.ndim == 0 else tensor[None, :]
        if tensor.type.shape[0] != len(self.blocs):
            tensor = tensor + pt.zeros((len(self.blocs), 1))
        if time and tensor.type.shape[1] == 1:
            tensor = tensor + pt.zeros_like(self.years)
        return tensor

    def _mask(self, blocs: NDArray[np.bool_]) -> Tensor:
        return pt.as_tensor_variable(blocs.astype(float)[:, None])

    def _observe(
        self, family: Literal["normal", "student_t", "censored_normal"], data: Data, value: str, mean: Any, sd: Any, bound: str = "", **extra: Any
    ) -> None:
        template = data[value]

        def rows(x: Any) -> Tensor:
            return pt.as_tensor_variable(x) + pt.zeros_like(template)

        self.graph.likelihoods.append(
            Likelihood(
                label=data._label,
                driver=self._frames[-1].term.driver,
                family=family,
                observations=data.observations,
                value=value,
                bound=bound,
                mean=rows(mean),
                sd=rows(sd),
                **{key: rows(x) for key, x in extra.items()},
            )
        )

    def _label(self, term: Term) -> str:
        """The table's name; with the method's after a dot when it has several."""
        same = [
            other
            for other in self.spec.terms
            if other.kind == "observation" and other.target == term.target
        ]
        return term.target if len(same) == 1 else f"{term.target}.{term.build.__name__}"

    def _bloc(self, data: Data) -> NDArray[np.int64]:
        if np.any(data.observations.bloc < 0):
            row = data.observations.rows[int(np.argmax(data.observations.bloc < 0))]
            raise ValueError(f"row {row.name!r} is about {row.bloc!r}, which is no bloc of the model")
        return data.observations.bloc

    def _place(
        self, data: Data, what: str, dates: NDArray[np.float64], offset: NDArray[np.int64] | int = 0
    ) -> tuple[Tensor, Tensor]:
        """Rows' places in a flattened (bloc, time) array, and their fractions towards the next month."""
        left, fraction = self.grid.locate(dates)
        place = (self._bloc(data) + offset) * len(self.grid.years) + left
        return (
            self.constant(f"{data._label}.{what}.left", place),
            self.constant(f"{data._label}.{what}.fraction", fraction),
        )

    # Interventions -------------------------------------------------------------------------

    def _changes(self, kind: str, name: str, of: str | None = None) -> Iterable[Intervention]:
        for position, change in enumerate(self._interventions):
            if change.kind == kind and change.name == name and (of is None or change.of == of):
                self._used.add(position)
                yield change

    def _start(self, change: Intervention) -> float:
        start = decimal_year(change.start or self.spec.as_of)
        return max(start, decimal_year(self.spec.as_of)) - EPOCH

    def _active(self, change: Intervention) -> Tensor:
        if change.bloc is not None and change.bloc not in self.blocs:
            raise InputError(
                f"intervention on {change.kind} {change.name!r}: unknown bloc {change.bloc!r}; "
                f"blocs are {', '.join(self.blocs)}"
            )
        who = np.array([change.bloc in (None, bloc) for bloc in self.blocs])
        return pt.gt(self.years * self._mask(who) - OFF * self._mask(~who), self._start(change))

    def _unknown_intervention(self, change: Intervention) -> NoReturn:
        known: dict[str, Callable[[], set[str]]] = {
            "limit": lambda: {term.build.__name__ for term in self.spec.terms if term.kind == "limit"},
            "channel": lambda: {
                f"{term.channel} (of {term.target})" for term in self.spec.terms if term.kind == "channel"
            },
            "quantity": lambda: set(self.graph.quantities),
            "term": lambda: self._seen_terms,
        }
        names = sorted(known[change.kind]()) or ["none"]
        raise InputError(
            f"intervention: there is no {change.kind} {change.name!r}"
            f"{f' of {change.of}' if change.of else ''}; there are {', '.join(names)}"
        )

    # Names ---------------------------------------------------------------------------------

    def _provider(self, name: str) -> Term | None:
        for term in self._by_target.get(name, ()):
            if term.kind == "base":
                return term
        return None

    def _unknown(self, name: str) -> NoReturn:
        driver = self._frames[-1].term.driver if self._frames else None
        own = [parameter for owner, parameter in self.spec.parameters if owner == driver]
        quantities = [term.target for term in self.spec.terms if term.kind == "base"]
        near = get_close_matches(name, [*own, *quantities], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise PluginError(
            f"it asks for {name!r}, which is neither a parameter of it nor a quantity that a loaded driver provides{hint}",
            driver=driver,
            distribution=self.spec.distributions.get(driver or ""),
        )


def _interpolated(x: Tensor, left: Tensor, fraction: Tensor) -> Tensor:
    """Return `x` of (bloc, time) at places of its flattened form; (row,)."""
    flat = x.reshape((x.type.shape[0] * x.type.shape[1],))
    return flat[left] * (1.0 - fraction) + flat[left + 1] * fraction


def build_graph(
    spec: Spec,
    end: date,
    *,
    projecting: bool = False,
    interventions: Sequence[Intervention] = (),
) -> Graph:
    """Build the graph of a spec on the monthly grid up to `end`.

    Parameters
    ----------
    spec : Spec
    end : datetime.date
        The as-of date for inference, the horizon for projection.
    projecting : bool
    interventions : sequence of Intervention

    Returns
    -------
    Graph

    Raises
    ------
    PluginError
        A driver failed: a cycle (with its path), a missing quantity, a wrong
        shape, an unknown parameter or an exception inside.
    InputError
        A bloc without a prior that a base needs, or an unknown intervention.
    """
    model = Model(spec, Grid(end), projecting=projecting, interventions=interventions)
    model.close()
    model.observe()
    return model.graph
