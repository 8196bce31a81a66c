"""What a driver author imports: the ``Driver`` base class and its decorators.

A driver declares parameters (with priors), terms (what it puts into
quantities) and evidence (tables tied to quantities). Terms are methods that
take the model ``m`` (:class:`forecast.model.Model`) and return a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from forecast.evidence import EvidenceTable, read_tables
from forecast.worldview import ParameterPriors, read_driver_priors

if TYPE_CHECKING:
    from forecast.model.observations import Observations, PrepareContext

API_VERSION = 1
"""Version of the contract with plugins; a driver states the one it was written for."""

OLDEST_API_VERSION = 1
"""The oldest version that is still understood; a driver of an older one than the newest is warned about."""

_MARK = "__forecast_terms__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Term:
    """One method of a driver and what it does.

    Attributes
    ----------
    kind : {"base", "addition", "channel", "limit", "observation", "crossing"}
    target : str
        The quantity, or for an observation or a crossing the evidence table.
    build : callable
        ``build(m)`` returns a tensor; for an observation ``build(m, data)``
        returns nothing; for a crossing ``build(x, data)`` returns an array.
    driver : str
    unit : str
        Of the quantity, for a base; for what enters a quantity, the unit that
        its author takes it to have, where they say so.
    linear, channels, states, success
        Of the quantity, for a base.
    title : str
        Of the quantity, for a base; of an addition or a limit, what an account
        of growth calls it.
    grows_with : tuple of str
        Quantities whose growth a base or an addition hands on one for one.
    remainder : str
        What an account of growth calls the rest of a base's growth.
    channel : str or None
        The channel's name, for a channel.
    sharpness : float
        s of the soft minimum with which limits bend the quantity, for a base.
    prepare : callable or None
        ``prepare(table, context) -> Observations``, for an observation.
    milestone : str
        Whose dates are weighed, for a crossing.
    """

    kind: Literal["base", "addition", "channel", "limit", "observation", "crossing"]
    target: str
    build: Callable[..., Any]
    driver: str = ""
    unit: str = ""
    linear: bool = False
    channels: bool | str = False
    channel: str | None = None
    states: tuple[str, ...] = ()
    title: str = ""
    sharpness: float = 4.0
    success: float | None = None
    prepare: Callable[..., Any] | None = None
    milestone: str = ""
    grows_with: tuple[str, ...] = ()
    remainder: str = ""


def _mark(**fields: Any) -> Callable[[F], F]:
    def decorate(method: F) -> F:
        marks = getattr(method, _MARK, [])
        setattr(method, _MARK, [*marks, fields])
        return method

    return decorate


def provides(
    quantity: str,
    *,
    unit: str = "",
    linear: bool = False,
    channels: bool | str = False,
    states: Sequence[str] = (),
    sharpness: float = 4.0,
    success: float | None = None,
    title: str = "",
    grows_with: str | Sequence[str] = (),
    remainder: str = "",
) -> Callable[[F], F]:
    """Declare the method as the base of a quantity; each quantity has one owner.

    Parameters
    ----------
    quantity : str
        Its name.
    unit : str
        Unit of the trajectory; the method returns log10 of it unless `linear`.
        Needed unless it is a state.
    linear : bool
        The trajectory is in `unit` itself, not in log10.
    channels : bool or str
        The quantity is a sum of channels that drivers add; the method
        returns None. A run stores the channels as QUANTITY_channels, or under
        the name given here.
    states : sequence of str
        The trajectory is the index of one of these states, the same for all
        blocs, as from :meth:`forecast.model.Model.switching`.
    sharpness : float
        s in softmin(x, y) = -log10(10^(-s x) + 10^(-s y)) / s, by which the
        limits of this quantity bend it.
    success : float, optional
        The success rate that a time horizon is about; thresholds must match.
    title : str
        For tables and pictures.
    grows_with : str or sequence of str
        Quantities that the method reads and whose growth its result shares one
        for one: an OOM more of such a one is an OOM more of this one. An
        account of growth (``forecast growth``) follows them to their own
        causes; what is left of the growth is this driver's doing, as all of
        it is without this argument. It changes no number of a forecast.
    remainder : str
        What to call what is left, for tables and pictures; the title without it.

    Raises
    ------
    TypeError
        No unit; or `grows_with` or `remainder` of a quantity that is not in log10.
    """
    if not unit and not states:
        raise TypeError(f"provides({quantity!r}): say the unit of the trajectory")
    if (grows_with or remainder) and (linear or states):
        raise TypeError(
            f"provides({quantity!r}): grows_with and remainder are about growth in OOM, and {quantity!r} is "
            "not in log10; leave them out"
        )
    return _mark(
        kind="base",
        target=quantity,
        unit=unit or "state",
        linear=linear or bool(states),
        channels=channels,
        states=tuple(states),
        sharpness=sharpness,
        success=success,
        title=title,
        grows_with=_names(grows_with),
        remainder=remainder,
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def adds_to(
    quantity: str,
    *,
    channel: str | None = None,
    unit: str = "",
    title: str = "",
    grows_with: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """Declare the method as an addition to a quantity, or as one of its channels.

    Without `channel` the result is added to the trajectory (a factor, for a
    log quantity). With it the result is log10 of a flow that is added
    linearly; a bloc for which a parameter that it reads has no prior does not
    have the channel.

    Parameters
    ----------
    quantity : str
        Another driver's, or one's own.
    channel : str, optional
        Its name; one driver has it.
    unit : str
        The unit that you take the quantity to have, without ``log10``. Another
        owner of the quantity with another unit is then refused.
    title : str
        What an account of growth calls it; the method's name by default.
    grows_with : str or sequence of str
        As for :func:`provides`, of an addition that hands on another quantity.

    Raises
    ------
    TypeError
        `grows_with` of a channel: the growth of a sum is not shared one for one.
    """
    if channel and grows_with:
        raise TypeError(
            f"adds_to({quantity!r}, channel={channel!r}): a channel is one part of a sum, whose growth is "
            "not shared one for one; leave grows_with out"
        )
    return _mark(
        kind="channel" if channel else "addition",
        target=quantity,
        channel=channel,
        unit=unit,
        title=title,
        grows_with=_names(grows_with),
    )


def limits(quantity: str, *, unit: str = "", title: str = "") -> Callable[[F], F]:
    """Declare the method as a limit of a quantity, in the quantity's unit.

    All limits enter one soft minimum with the base, so that two do not count
    twice.

    Parameters
    ----------
    quantity : str
        Another driver's, or one's own.
    unit : str
        As for :func:`adds_to`.
    title : str
        What bounds the quantity, such as "electric power", for an account of
        growth; the method's name by default.
    """
    return _mark(kind="limit", target=quantity, unit=unit, title=title)


def observes(
    table: str, *, prepare: Callable[[EvidenceTable, PrepareContext], Observations] | None = None
) -> Callable[[F], F]:
    """Declare the method as the measurement model of an evidence table.

    Parameters
    ----------
    table : str
        Name of one of the driver's evidence tables.
    prepare : callable, optional
        ``prepare(table, context) -> Observations``: selects rows and may add
        computed columns through ``context.observations(table, ...)``. The
        table has only rows published by the as-of date; `context` has
        ``as_of`` and ``blocs``.
    """
    return _mark(kind="observation", target=table, prepare=prepare)


def observes_crossing(
    table: str,
    *,
    milestone: str = "agi",
    prepare: Callable[[EvidenceTable, PrepareContext], Observations] | None = None,
) -> Callable[[F], F]:
    """Declare the method as a measurement model of when a milestone is crossed.

    The method takes ``(self, x, data)``: `x` has the crossing dates of all
    draws and the driver's parameters (see
    :class:`forecast.projection.CrossingDates`), `data` the rows known by the
    as-of date. It returns the log likelihood of the rows, one number a draw,
    in NumPy. Draws are then kept in proportion to it. A worldview without the
    milestone leaves the rows unused, and says so.

    Parameters
    ----------
    table : str
        Name of one of the driver's evidence tables.
    milestone : str
        Name of the milestone that the rows speak of.
    prepare : callable, optional
        As for :func:`observes`.
    """
    return _mark(kind="crossing", target=table, milestone=milestone, prepare=prepare)


class Driver:
    """Base of every driver.

    Attributes
    ----------
    name : str
        Unique among loaded drivers; the key of its priors in prior files.
    title : str
        For tables and pictures.
    api_version : int
        The version of this contract that the driver was written for.
    parameters : sequence of ParameterPriors
        From :func:`load_parameters` or :func:`parameters_from_text`.
    evidence : mapping of str to EvidenceTable
        From :func:`load_evidence`.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    api_version: ClassVar[int] = 0
    parameters: Sequence[ParameterPriors] = ()
    evidence: Mapping[str, EvidenceTable] = {}

    def terms(self) -> list[Term]:
        """Terms that the class declares, in the order of its body."""
        found: dict[str, Any] = {}
        for cls in reversed(type(self).__mro__):
            for attribute, value in vars(cls).items():
                if hasattr(value, _MARK):
                    found[attribute] = value
                elif attribute in found:
                    del found[attribute]
        return [
            Term(build=getattr(self, attribute), driver=self.name, **fields)
            for attribute, method in found.items()
            for fields in getattr(method, _MARK)
        ]

    def __repr__(self) -> str:
        return f"<driver {self.name!r}>"


def load_parameters(package: str, driver: str | None = None) -> list[ParameterPriors]:
    """Parameters and default priors from the ``priors.toml`` inside a package.

    Parameters
    ----------
    package : str
        Usually ``__package__`` of the driver's module.
    driver : str, optional
        The driver's name; by default that of the package, its last part with hyphens.

    Raises
    ------
    InputError
        Naming file, line and key of every mistake.
    """
    path = resources.files(package) / "priors.toml"
    return read_driver_priors(path, driver or _driver_of(package))


def parameters_from_text(text: str, driver: str) -> list[ParameterPriors]:
    """Parameters and default priors written inside a one-file driver.

    Parameters
    ----------
    text : str
        What a ``priors.toml`` would hold.
    driver : str
        The driver's name, for messages.
    """
    return read_driver_priors(text, driver)


def load_evidence(package: str, driver: str | None = None) -> dict[str, EvidenceTable]:
    """Evidence tables from the folder ``evidence`` inside a package.

    Parameters
    ----------
    package : str
        Usually ``__package__`` of the driver's module.
    driver : str, optional
        The driver's name; by default that of the package, its last part with hyphens.

    Raises
    ------
    InputError
        Naming file, row and column of every mistake.
    """
    return read_tables(resources.files(package) / "evidence", driver or _driver_of(package))


def _driver_of(package: str) -> str:
    return package.rpartition(".")[2].replace("_", "-")
