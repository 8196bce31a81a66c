"""The model that drivers see as ``m``: quantities are pulled, never ordered.

Asking for a quantity closes it: its base, channels, additions and limits are
built then, recursively, so a cycle shows itself as a path and what each term
reads is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NoReturn

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike, NDArray
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors

from forecast.dates import decimal_year
from forecast.discovery import OURS
from forecast.driver import Term
from forecast.errors import ForecastError, InputError, PluginError
from forecast.model import maths
from forecast.model.canvas import Canvas, Data
from forecast.model.changes import Changes
from forecast.model.graph import BuiltTerm, Graph, Key, Likelihood, Quantity, Spec
from forecast.model.grid import Grid
from forecast.model.maths import Tensor
from forecast.model.observations import Observations, PrepareContext, prepared
from forecast.model.parameters import absent_blocs, parameter_shape
from forecast.model.stages import Stages, grows_with_fault
from forecast.wording import did_you_mean
from forecast.worldview import Intervention

OFF = 1e3
"""Added to a limit (in OOM) that does not apply; softmin then ignores it exactly."""

EMPTY_CHANNELS = 1e-6
"""Floor of a sum of channels that were all shut, in its unit: log10(0) has no gradient."""


@dataclass
class _Frame:
    """A term being built, for messages and for what it reads."""

    term: Term
    reads: set[Key] = field(default_factory=set)
    own_reads: set[Key] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    absent: dict[str, Key] = field(default_factory=dict)
    unlimited: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)


class Model(Canvas):
    """Builds the graph of one grid, and offers drivers what they need.

    Parameters
    ----------
    spec : Spec
    grid : Grid
        Up to the as-of date (and what guidance speaks of) for inference, to
        the horizon for projection.
    projecting : bool
        Whether shocks are drawn after the as-of date.
    interventions : sequence of Intervention
        Changes to the future; only when projecting.
    """

    def __init__(
        self,
        spec: Spec,
        grid: Grid,
        *,
        projecting: bool = False,
        interventions: Sequence[Intervention] = (),
    ) -> None:
        super().__init__(spec, grid)
        self.projecting = projecting
        self._frames: list[_Frame] = []
        self._by_target: dict[str, list[Term]] = {}
        for term in spec.terms:
            self._by_target.setdefault(term.target, []).append(term)
        self._changes = Changes(interventions, spec, self.years, grid.end)

    @property
    def caller(self) -> str:
        """The driver whose term is being built, and its distribution, for messages."""
        driver = self._frames[-1].term.driver if self._frames else ""
        return f"driver {driver!r} of {self.spec.distributions.get(driver) or 'this Python session'}"

    # What drivers read ---------------------------------------------------------------------

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
        """Like ``m[name]`` for a quantity or a ``driver.parameter``, or None where no driver has it."""
        if tuple(name.split(".", 1)) in self.spec.parameters:
            return self.parameter(name)
        if self._provider(name) is not None:
            return self.quantity(name)
        if self._frames:
            self._frames[-1].optional.add(name)
        return None

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
            self._frames[-1].own_reads.add(key)
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
        weights = self._numbers(f"epochs.{'.'.join(key)}", inside, fixed=True)
        return pt.sum(values[:, :, None] * weights[None, :, :], axis=1)

    def quantity(self, name: str) -> Tensor:
        """A trajectory with all its terms; (bloc, time). Closes it at first use."""
        if name not in self.graph.quantities:
            self._close(name)
        closed = self.graph.quantities[name]
        if self._frames:
            self._frames[-1].reads |= closed.reads
            self._frames[-1].needs.add(name)
            self._frames[-1].unlimited |= set(np.array(self.blocs)[~closed.present])
        return closed.tensor

    def channel(self, quantity: str, name: str) -> Tensor:
        """One channel of a sum of channels, as a linear flow; (bloc, time), zero where a bloc lacks it."""
        self.quantity(quantity)
        channels = self.graph.quantities[quantity].channels
        if name not in channels:
            raise KeyError(f"{quantity} has no channel {name!r}; it has {', '.join(channels) or 'none'}")
        return channels[name]

    def shock(self, name: str, *, scale: Any, persistence: Any, bloc_share: Any = 0.0) -> Tensor:
        """A random path of growth, zero up to the as-of date; (bloc, time) in OOM.

        Parameters
        ----------
        name : str
            Names the random stream. It is the driver's own: the same name gives
            the same draws within a driver, and ``driver.name`` those of another.
        scale : tensor or float
            Stationary standard deviation of the growth rate, OOM/year.
        persistence : tensor or float
            e-folding time of the rate, years.
        bloc_share : tensor or float
            Share of the variance that is each bloc's own.
        """
        return self._random(maths.shock_path, name, scale, persistence, bloc_share)

    def wandering(self, name: str, *, scale: Any, persistence: Any, bloc_share: Any = 0.0) -> Tensor:
        """A mean-reverting random path itself, not its integral; (bloc, time) in the unit of `scale`.

        Parameters are those of :meth:`shock`.
        """
        return self._random(maths.wandering, name, scale, persistence, bloc_share)

    def _random(self, path: Any, name: str, scale: Any, persistence: Any, bloc_share: Any) -> Tensor:
        if not self.projecting:
            return pt.zeros((len(self.blocs), 1))
        common, own = self._innovations(name)
        result: Tensor = path(
            common, own, self.years, self.as_of, scale=scale, persistence=persistence, bloc_share=bloc_share
        )
        return result

    def _innovations(self, name: str) -> tuple[Tensor, Tensor]:
        name = self._stream(name)
        if name not in self.graph.shocks:
            n_bloc, n_time = len(self.blocs), len(self.grid.years)
            self.graph.shocks[name] = (
                pt.tensor(name=f"shock.{name}.common", dtype="float64", shape=(1, n_time)),
                pt.tensor(name=f"shock.{name}.own", dtype="float64", shape=(n_bloc, n_time)),
            )
        return self.graph.shocks[name]

    def _stream(self, name: str) -> str:
        """Name of a random stream among those of all drivers: two plugins may both call theirs "luck".

        Ours have the plain name, as runs of earlier versions had it.
        """
        driver, _, rest = name.partition(".")
        if driver not in self.spec.distributions or not rest:
            driver, rest = self._frames[-1].term.driver, name
        ours = self.spec.distributions.get(driver, "").partition(" ")[0] == OURS
        return rest if ours else f"{driver}.{rest}"

    def switching(self, name: str, hazards: Sequence[Sequence[Any]], start: int) -> Tensor:
        """Index of a state that switches at random after the as-of date; (1, time).

        Parameters
        ----------
        name : str
            Names the random stream, as for :meth:`shock`.
        hazards : sequence of sequences
            Rate per year, tensor () or float, at which one state (row) turns
            into another (column); the diagonal is not read.
        start : int
            State up to the as-of date.
        """
        if not self.projecting:
            return pt.zeros((1, 1)) + float(start)
        common, _ = self._innovations(name)
        uniforms = 0.5 * pt.erfc(-common / np.sqrt(2.0))
        matrix = pt.stack([pt.stack([pt.as_tensor_variable(one) * 1.0 for one in row]) for row in hazards])
        return maths.switching_path(uniforms, self.years, self.as_of, matrix, start)

    def constant(self, name: str, values: ArrayLike, *, fixed: bool = False) -> Tensor:
        """Numbers as a named input of the graph, so that changing them compiles nothing.

        Parameters
        ----------
        name : str
            The driver's own.
        values : array_like
        fixed : bool
            The shape belongs to the structure: compiled code may rely on it.

        Raises
        ------
        ValueError
            The driver gave the name to other numbers.
        """
        full = f"{self._frames[-1].term.driver}.constant.{name}"
        found = self._numbers(full, values, fixed=fixed)
        if not np.array_equal(self.graph.data[full][1], np.asarray(values), equal_nan=True):
            raise ValueError(f"m.constant({name!r}) holds other numbers already; give these another name")
        return found

    def numpy(self, function: Callable[..., Any], *inputs: Any) -> Tensor:
        """A NumPy function of trajectories after the as-of date, where no gradient is needed.

        Parameters
        ----------
        function : callable
            Defined at the top of a module. It gets the inputs as arrays that
            broadcast against one another, any draw axis first and time last,
            and returns one array of their common shape.
        *inputs : tensor or float

        Raises
        ------
        RuntimeError
            During inference: guard the call with ``if m.projecting``.
        """
        if not self.projecting:
            raise RuntimeError("m.numpy has no gradient: call it only if m.projecting")
        return maths.numpy_function(function, *inputs)

    def reached(self, x: Tensor) -> Tensor:
        """After the as-of date, the largest value so far: what was reached stays reached."""
        if not self.projecting:
            return x
        x = self._on_blocs(x)
        return pt.switch(pt.gt(self.years, self.as_of), maths.running_maximum(x), x)

    def term(self, name: str, x: Tensor) -> Tensor:
        """A part of a term that an intervention may switch off by name.

        From its date on, `x` then keeps the value it had: what was reached
        stays reached. Where terms of two drivers have one name, an
        intervention says ``driver.name``.
        """
        driver = self._frames[-1].term.driver
        self._changes.terms.add((driver, name))
        for change in self._changes.of("term", name, driver=driver):
            frozen = self.at_date(x, self._changes.start(change))
            x = pt.switch(self._changes.active(change), frozen, x)
        return x

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
        if self.projecting:  # what weighs dates of crossings reads its parameters later, draw by draw
            weighing = {term.driver for term in self.spec.terms if term.kind == "crossing"}
            for driver, name in self.spec.parameters:
                if driver in weighing:
                    self.parameter(f"{driver}.{name}")
        self._changes.check_all_used(list(self.graph.quantities))
        return self.graph

    def observe(self) -> None:
        """Build every measurement model."""
        context = PrepareContext(as_of=self.spec.as_of, blocs=self.blocs)
        for term in self.spec.terms:
            if term.kind != "observation":
                continue
            table = self.spec.evidence[term.driver, term.target]
            with self._building(term) as frame:
                rows = prepared(term, table, context)
                term.build(self, Data(self, self._label(term), rows))
            self._finished(frame, rows)
        # By what rows depend on, not by what their terms asked for: the scale of a shock of the future is
        # asked for, and is zero in the past.
        said = [
            x
            for one in self.graph.likelihoods
            for x in (one.mean, one.sd, one.nu, one.upper)
            if x is not None
        ]
        upstream = set(ancestors(said))
        self.graph.inferred = {key for key, x in self.graph.parameters.items() if x in upstream}

    def _close(self, name: str) -> None:
        frames = [frame.term for frame in self._frames if frame.term.kind != "observation"]
        path = [term.target for term in frames]
        if name in path:
            self._circle(frames[path.index(name) :])
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
        stages = Stages(base, value, present, self.graph.quantities) if self.projecting else None
        for term in terms:
            if term.kind == "addition":
                extra, missing = self._build(term, reads, needs)
                if not missing.all():
                    value = value + (self._mask(~missing) * extra if missing.any() else extra)
                if stages:
                    stages.add(term, value, ~missing)
        for term in terms:
            if term.kind == "limit":
                bound, missing = self._build(term, reads, needs)
                value = self._limited(value, self._bounded(term, bound, missing), missing, base.sharpness)
                if stages:
                    stages.add(term, value, ~missing)
        for change in self._changes.of("state", name):
            index = self._state_index(base, change)
            value = pt.switch(self._changes.active(change), index, value)
        for change in self._changes.of("quantity", name, missing=~present):
            if base.states:
                raise InputError(
                    f"intervention on quantity {name!r}: it is a state, which is set by its name: "
                    f'{{ state = "{name}", set = "{base.states[0]}" }}'
                )
            changed = value + change.add if change.add is not None else change.level
            value = pt.switch(self._changes.active(change), changed, value)
        if stages:
            stages.intervened(value)
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
            channels_name=base.channels if isinstance(base.channels, str) else f"{name}_channels",
            states=base.states,
            reads=reads,
            needs=needs,
            stages=stages.found if stages else [],
        )

    def _circle(self, terms: Sequence[Term]) -> NoReturn:
        """Refuse terms of which each reads the next one's quantity, and the last the first one's."""
        path = [*(term.target for term in terms), terms[0].target]
        who = list(dict.fromkeys(term.driver for term in terms))
        steps = [
            f"{term.build.__name__!r} of driver {term.driver!r} ({term.kind} of {term.target}) reads {read}"
            for term, read in zip(terms, path[1:], strict=True)
        ]
        out = " or ".join(f"--without {driver}" for driver in who)
        raise PluginError(
            f"quantities depend on each other in a circle: {' -> '.join(path)}: {', '.join(steps)}. One of "
            f"them must read something that comes earlier; until then leave one out ({out})",
            driver=terms[-1].driver,
            distribution=self.spec.distributions.get(terms[-1].driver),
        )

    def _state_index(self, base: Term, change: Intervention) -> float:
        if change.state not in base.states:
            there = f"its states are {', '.join(base.states)}" if base.states else "it is no state"
            near = did_you_mean(str(change.state), base.states)
            raise InputError(f"intervention on {base.target}: no state {change.state!r}{near}; {there}")
        return float(base.states.index(change.state))

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
            # What a bloc does not have holds no number that means anything.
            flow = maths.on_rows(~missing, _powers(flow), self._zeros)
            for change in self._changes.of("channel", term.channel, name, missing):
                flow = pt.switch(self._changes.active(change), self._changed(flow, change, missing), flow)
            channels[term.channel] = flow
            present |= ~missing
            total = total + flow
        if not channels:
            return pt.zeros((len(self.blocs), 1)) + 0.0 * self.years, present
        if self._changes.any_of("channel"):
            total = pt.maximum(total, EMPTY_CHANNELS)
        return maths.on_rows(present, lambda rows: pt.log10(total[..., rows, :]), self._zeros), present

    def _zeros(self, rows: slice) -> Tensor:
        return pt.zeros((rows.stop - rows.start, len(self.grid.years)))

    def _changed(self, flow: Tensor, change: Intervention, missing: NDArray[np.bool_]) -> Tensor:
        """A channel's flow under a change; a bloc without the channel gets none by it."""
        if change.scale is not None:
            return flow * change.scale
        given = pt.as_tensor_variable(change.level if change.floor is None else change.floor)
        if missing.any():
            given = given * self._mask(~missing)
        return given if change.floor is None else pt.maximum(flow, given)

    def _bounded(self, term: Term, bound: Tensor, missing: NDArray[np.bool_]) -> Tensor:
        """A limit, lifted out of the way where an intervention takes it off."""
        for change in self._changes.of("limit", term.build.__name__, missing=missing, driver=term.driver):
            bound = bound + pt.switch(self._changes.active(change), OFF, 0.0)
        return bound

    def _limited(self, value: Tensor, bound: Tensor, missing: NDArray[np.bool_], sharpness: float) -> Tensor:
        """A quantity under one more limit, for the blocs that have it."""
        if missing.all() or (isinstance(bound, Constant) and np.all(bound.data >= OFF)):
            return value

        def under(rows: slice) -> Tensor:
            return maths.softmin(value[..., rows, :], bound[..., rows, :], sharpness=sharpness)

        return maths.on_rows(~missing, under, lambda rows: value[..., rows, :])

    def _build(self, term: Term, reads: set[Key], needs: set[str]) -> tuple[Tensor, NDArray[np.bool_]]:
        """Build one term; returns it on (bloc, time) and which blocs lack a parameter of it."""
        with self._building(term) as frame:
            value = self._on_blocs(self._checked(term, term.build(self)))
        reads |= frame.reads
        needs |= frame.needs
        self._finished(frame)
        if self.projecting and term.grows_with:
            self._check_grows_with(term, frame)
        if term.kind == "base" and frame.absent:
            bloc, (driver, name) = next(iter(frame.absent.items()))
            raise InputError(
                f"[priors.{driver}] {name}: bloc {bloc!r} has no prior for it, and {term.target} needs one; "
                f"give a general prior, or one under [priors.{driver}.by_bloc.{bloc}]"
            )
        missing = set(frame.absent) | (frame.unlimited if term.kind == "limit" else set())
        return value, np.array([bloc in missing for bloc in self.blocs])

    def _check_grows_with(self, term: Term, frame: _Frame) -> None:
        base = self._provider(term.target)
        linear = base is not None and base.linear
        fault = grows_with_fault(term, linear, frame.needs, frame.optional, self.graph.quantities)
        if fault is not None:
            raise PluginError(
                fault, driver=term.driver, distribution=self.spec.distributions.get(term.driver)
            )

    @contextmanager
    def _building(self, term: Term) -> Iterator[_Frame]:
        frame = _Frame(term)
        self._frames.append(frame)
        try:
            yield frame
        except (ForecastError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a term may even call sys.exit
            where = f"{term.build.__name__} ({term.kind} of {term.target})"
            raise PluginError(
                f"{where} failed: {type(error).__name__}: {error}",
                driver=term.driver,
                distribution=self.spec.distributions.get(term.driver),
            ) from error
        finally:
            self._frames.pop()

    def _finished(self, frame: _Frame, observations: Observations | None = None) -> None:
        read = frozenset(frame.needs), frozenset(frame.own_reads)
        self.graph.built.append(BuiltTerm(frame.term, *read, observations))

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
        if tensor.ndim == 2 and tensor.type.shape[1] not in (None, 1, len(self.grid.years)):
            raise ValueError(
                f"its shape is {tensor.type.shape}, and the grid has {len(self.grid.years)} months"
            )
        if tensor.ndim == 1:
            raise ValueError("it has one axis; use (bloc, 1), (1, time) or (bloc, time)")
        return tensor

    def _observe(
        self,
        family: Literal["normal", "student_t", "censored_normal"],
        data: Data,
        value: str,
        mean: Any,
        sd: Any,
        bound: str = "",
        **extra: Any,
    ) -> None:
        template = data[value]

        def rows(x: Any) -> Tensor:
            return pt.as_tensor_variable(x) + pt.zeros_like(template)

        self.graph.likelihoods.append(
            Likelihood(
                label=data.label,
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
        """The table's name; with its driver and its method where the name alone says too little."""
        others = [one for one in self.spec.terms if one.kind == "observation" and one.target == term.target]
        label = term.target
        if any(one.driver != term.driver for one in others):
            label = f"{term.driver}.{label}"
        if sum(one.driver == term.driver for one in others) > 1:
            label = f"{label}.{term.build.__name__}"
        return label

    def _provider(self, name: str) -> Term | None:
        for term in self._by_target.get(name, ()):
            if term.kind == "base":
                return term
        return None

    def _unknown(self, name: str) -> NoReturn:
        driver = self._frames[-1].term.driver if self._frames else ""
        own = [parameter for owner, parameter in self.spec.parameters if owner == driver]
        quantities = [term.target for term in self.spec.terms if term.kind == "base"]
        near = did_you_mean(name, [*own, *quantities])
        gone = self.spec.left_out.get(name)
        what = f"which is neither a parameter of it nor a quantity that a loaded driver provides{near}"
        if gone:
            what = f"which belongs to the driver {gone!r}, and that is left out"
        error = PluginError(
            f"it asks for {name!r}, {what}",
            driver=driver or None,
            distribution=self.spec.distributions.get(driver),
        )
        if gone:
            raise InputError(
                f"{error}. Keep {gone}, or load another driver that provides {name!r} (--plugin), or leave "
                f"out {driver} as well (--without {driver})"
            )
        if not self.spec.disabled:
            raise error
        raise InputError(  # most likely what provides it was left out
            f"{error}; left out: {', '.join(self.spec.disabled)}. Keep what provides {name!r}, or leave out "
            f"{driver} as well (--without {driver})"
        )


def _powers(x: Tensor) -> Callable[[slice], Tensor]:
    return lambda rows: 10.0 ** x[..., rows, :]


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
    with maths.without_traces():
        model = Model(spec, Grid(end), projecting=projecting, interventions=interventions)
        model.close()
        model.observe()
    return model.graph
