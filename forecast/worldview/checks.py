"""Settings of a worldview checked against one another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from forecast.dates import decimal_year, end_of, parse_date, parse_period
from forecast.wording import did_you_mean, shown
from forecast.worldview.merged import Option
from forecast.worldview.origins import Locator, Problems
from forecast.worldview.schema import LARGEST_SEED
from forecast.worldview.worldview import Bloc, Lead, Window

if TYPE_CHECKING:
    from forecast.worldview.worldview import Worldview

EARLIEST, LATEST = date(1950, 1, 1), date(2200, 12, 31)
MONTH = 1 / 12


def check_dates(as_of: date, horizon: date, window: Window, where: Locator, problems: Problems) -> None:
    """Check that as-of date, horizon and window are in order.

    Parameters
    ----------
    as_of, horizon : date
    window : Window
    where : Locator
        Tells where each was given.
    problems : Problems
        Receives every problem.
    """
    for path, day in (
        (("as_of",), as_of),
        (("horizon",), horizon),
        (("window", "start"), window.start),
        (("window", "end"), window.end),
    ):
        if not EARLIEST <= day <= LATEST:
            problems.add(where.origin(path), f"must be from {EARLIEST} to {LATEST}, got {day}")
    if window.end < window.start:
        problems.add(
            where.origin(("window", "end")),
            f"the window ends on {window.end}, before its start {window.start}",
        )
    if horizon <= as_of:
        problems.add(where.origin(("horizon",)), f"the horizon {horizon} is not after the as-of date {as_of}")
    elif end_of(horizon) - decimal_year(as_of) < MONTH:
        problems.add(
            where.origin(("horizon",)), f"the horizon {horizon} is within a month of the as-of date {as_of}"
        )
    elif window.end > horizon:
        problems.add(
            where.origin(("window", "end")),
            f"the window ends on {window.end}, after the horizon {horizon}: move one of them",
        )


def check_lead(lead: Lead, blocs: tuple[Bloc, ...], where: Locator, problems: Problems) -> None:
    """Check that a lead names two of the blocs."""
    names = [bloc.name for bloc in blocs]
    for key, name in (("leader", lead.leader), ("follower", lead.follower)):
        if name not in names:
            problems.add(where.origin(("lead", key)), f"{shown(name)} is no bloc{did_you_mean(name, names)}")
    if lead.leader == lead.follower and lead.leader in names:
        problems.add(where.origin(("lead", "follower")), f"is the leader itself, {lead.leader!r}")


def read_settings(
    settings: Mapping[str, Any], problems: Problems
) -> tuple[dict[str, Any], Mapping[tuple[str | int, ...], Option]]:
    """Read settings given as options or arguments.

    Parameters
    ----------
    settings : mapping
        Of ``as_of``, ``horizon``, ``window``, ``seed``; None where not given.
    problems : Problems
        Receives what cannot be read.

    Returns
    -------
    values : dict
        Those that were given, as dates, `Window` and int.
    sources : dict
        Path in a prior file to the option.
    """
    values: dict[str, Any] = {}
    sources: dict[tuple[str | int, ...], Option] = {}
    for key, given in settings.items():
        if given is None:
            continue
        plain = given.isoformat() if isinstance(given, date) else given
        option = Option(f"--{key.replace('_', '-')} {plain if isinstance(plain, str) else shown(plain)}")
        try:
            values[key] = _read_setting(key, given)
        except (ValueError, TypeError) as error:
            problems.add(option.origin(()), str(error))
            continue
        paths = [("window", "start"), ("window", "end")] if key == "window" else [(key,)]
        sources |= {path: option for path in paths}
    return values, sources


def _read_setting(key: str, given: Any) -> Any:
    if key == "seed":
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= LARGEST_SEED:
            raise ValueError(f"must be a whole number from 0 to 2^63 - 1, got {shown(given)}")
        return given
    if key == "window":
        if isinstance(given, Window):
            return given
        if isinstance(given, str):
            return Window(*parse_period(given))
        start, end = given
        return Window(parse_date(start), parse_date(end))
    if key == "as_of" and given == "today":
        return date.today()
    return parse_date(given)


class _Sources:
    """Origins of settings that may come from an option or from the worldview's files."""

    def __init__(self, worldview: Worldview, sources: Mapping[tuple[str | int, ...], Option]) -> None:
        self.worldview, self.sources = worldview, sources

    def origin(self, path: tuple[str | int, ...]) -> Any:
        if path in self.sources:
            return self.sources[path].origin(path)
        return self.worldview.provenance.get(".".join(map(str, path))) or Option(self.worldview.name).origin(
            path
        )


def checked_settings(worldview: Worldview, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Read and check changed settings beside the worldview's own.

    Returns
    -------
    dict
        Fields of the worldview to replace, its provenance included.

    Raises
    ------
    InputError
        With every problem.
    """
    problems = Problems()
    known = ("as_of", "horizon", "window", "seed", "disabled")
    for key in changes:
        if key not in known:
            raise TypeError(f"replace() has no argument {key!r}{did_you_mean(key, known)}")
    disabled = changes.get("disabled")
    values, sources = read_settings({k: v for k, v in changes.items() if k != "disabled"}, problems)
    problems.raise_any()
    where = _Sources(worldview, sources)
    as_of, horizon, window = (values.get(k, getattr(worldview, k)) for k in ("as_of", "horizon", "window"))
    check_dates(as_of, horizon, window, where, problems)
    problems.raise_any()
    if disabled is not None:
        values["disabled"] = tuple(dict.fromkeys(disabled))
    said = {".".join(map(str, path)): option.origin(path) for path, option in sources.items()}
    return values | {"provenance": worldview.provenance | said}
