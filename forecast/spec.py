"""From a worldview and the loaded drivers to everything that decides a model."""

from __future__ import annotations

from datetime import date

from forecast.errors import InputError
from forecast.host import Host
from forecast.model import Spec, build_graph
from forecast.wording import did_you_mean
from forecast.worldview import Worldview, correlations_in_force, resolve_priors


def make_spec(worldview: Worldview, host: Host) -> Spec:
    """Apply a worldview to the loaded drivers.

    Parameters
    ----------
    worldview : Worldview
    host : Host
        Checked; without the worldview's disabled drivers.

    Returns
    -------
    Spec

    Raises
    ------
    InputError
        An unknown driver, parameter or bloc, or an as-of date before any
        evidence.
    PluginError
        A driver that the worldview needs is broken or missing.
    """
    _check_names(worldview, host)
    host.require(worldview.driver_priors, "the worldview sets its priors")
    blocs = worldview.bloc_names
    tables = {key: table for key, table in host.evidence().items() if table.spec.used}
    known = {key: table.known_by(worldview.as_of).for_blocs(blocs) for key, table in tables.items()}
    if tables and not any(len(table) for table in known.values()):
        first = min(row.published for table in tables.values() for row in table.rows)
        raise InputError(
            f"as_of {worldview.as_of.isoformat()}: no evidence had been published by then "
            f"(the first row is of {first.isoformat()}); choose a later as-of date"
        )
    parameters = resolve_priors(worldview, host.defaults())
    return Spec(
        blocs=blocs,
        as_of=worldview.as_of,
        terms=tuple(host.terms()),
        parameters=parameters,
        correlations=correlations_in_force(worldview, parameters),
        evidence=known,
        distributions={name: host.distribution_of(name) for name in host.drivers},
        disabled=tuple(worldview.disabled),
        left_out=_left_out(host),
    )


def _left_out(host: Host) -> dict[str, str]:
    """What drivers that are loaded and not in use would provide, and which driver it is."""
    found: dict[str, str] = {}
    for one in host.left_out():
        name = one.driver.name
        found |= {term.target: name for term in one.terms if term.kind == "base"}
        found |= {f"{name}.{priors.name}": name for priors in one.driver.parameters}
    return found


def _check_names(worldview: Worldview, host: Host) -> None:
    """Refuse priors of drivers that do not exist, unless what could not be loaded may have had them."""
    known = [*host.drivers, *host.disabled]
    if host.problems:
        return
    problems = []
    for name, parameters in worldview.driver_priors.items():
        if name not in known:
            origins = [origin for override in parameters.values() for origin in override.origins.values()]
            place = f"{origins[0].place}: " if origins else ""
            problems.append(
                f"{place}[priors.{name}]: no driver of this name is installed{did_you_mean(name, known)}; "
                "correct the name, or load the driver with --plugin"
            )
    if problems:
        raise InputError(problems)


def history_end(spec: Spec) -> date:
    """Last day of the history grid.

    It covers the as-of date and the periods that guidance speaks of, and moves
    in steps of five years: the grid's length is part of what is compiled, and
    another as-of date should compile nothing.
    """
    ends = [row.date for table in spec.evidence.values() for row in table.rows if row.bloc in spec.blocs]
    last = max([spec.as_of, *ends])
    return date(2028 + 5 * max(0, -(-(last.year + 1 - 2028) // 5)), 1, 1)


def needs_of(worldview: Worldview, host: Host) -> dict[str, set[str]]:
    """Return the quantities of others that each driver reads, found by building the model.

    Parameters
    ----------
    worldview : Worldview
    host : Host

    Returns
    -------
    dict of str to set of str
    """
    graph = build_graph(make_spec(worldview, host), worldview.horizon, projecting=True)
    return {
        driver: {name for name in names if graph.quantities[name].owner != driver}
        for driver, names in graph.needs.items()
    }
