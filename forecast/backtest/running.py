"""A backtest from end to end: dates, cells that are kept, and the result."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from forecast.backtest.assemble import assemble
from forecast.backtest.baselines import published_tables
from forecast.backtest.cells import fit_cell, read_cell, write_cell
from forecast.backtest.known_by import known_by
from forecast.backtest.outcomes import all_series
from forecast.backtest.placebo import placebo
from forecast.engine import Plan, Reporter, make_plan
from forecast.errors import ForecastError, InputError
from forecast.host import Host, Loaded
from forecast.model import build_graph
from forecast.report.text_file import save_text
from forecast.results import to_json
from forecast.spec import history_end, make_spec

SETTINGS_SCHEMA = "forecast.backtest.settings/1"

_WORDS = {
    "worldview": "the worldview (priors, milestones, horizon or --set)",
    "drivers": "the drivers, or their versions or code",
    "evidence": "the evidence tables",
    "published": "the table of published growth rates",
    "sampler": "the sampler's settings (--draws, --tune, --chains)",
    "seed": "the seed",
    "prior_only": "--prior-only",
    "version": "the version of forecast",
}


@dataclass(frozen=True)
class Backtest:
    """A finished backtest.

    Attributes
    ----------
    folder : pathlib.Path
    result : dict
        As in ``backtest.json``.
    fitted : int
        Dates that were fitted now; the others were there.
    """

    folder: Path
    result: dict[str, Any]
    fitted: int


def backtest_settings(plan: Plan) -> dict[str, Any]:
    """Return what decides every cell of a backtest, whatever its as-of date."""
    lines = plan.worldview.to_toml().splitlines()
    return {
        "schema": SETTINGS_SCHEMA,
        "name": plan.worldview.name,
        "title": plan.worldview.title,
        "worldview": _hash([line for line in lines if not line.startswith("as_of")]),
        "drivers": plan.fingerprint["drivers"],
        "evidence": _evidence_hash(plan.host),
        "published": _hash([table.rows for table in published_tables().values()]),
        "sampler": plan.fingerprint["sampler"],
        "seed": plan.worldview.seed,
        "prior_only": plan.prior_only,
        "version": plan.fingerprint["version"],
    }


def backtests_folder() -> Path:
    """Return the folder that holds backtests: FORECAST_BACKTESTS, or ``backtests``."""
    return Path(os.environ.get("FORECAST_BACKTESTS") or "backtests")


def backtest(
    plan: Plan,
    dates: Sequence[date],
    folder: str | Path | None = None,
    *,
    loaded: Loaded | None = None,
    reporter: Reporter | None = None,
) -> Backtest:
    """Fit at each as-of date, score what came next, and write ``backtest.json``.

    Parameters
    ----------
    plan : Plan
        Of the worldview; its own as-of date decides where evidence for the placebo ends.
    dates : sequence of datetime.date
        As-of dates, from :func:`forecast.backtest.dates.as_of_dates`.
    folder : path, optional
        Named for the settings, below ``backtests``, by default. Dates that are in
        it already are not fitted again.
    loaded : Loaded, optional
        The plugins, where they have been loaded already.
    reporter : Reporter, optional

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        The folder holds a backtest with other settings; an as-of date before
        any evidence, or after all of it.
    ForecastError
        A fit failed, or the folder cannot be written. Finished dates are kept.
    """
    reporter = reporter or Reporter()
    settings = backtest_settings(plan)
    place = Path(folder) if folder else backtests_folder() / f"{plan.worldview.name}-{_hash(settings)[:8]}"
    _check_dates(plan, dates)
    plans = [_planned(plan, day, loaded) for day in dates]
    _take_up(place, settings)
    cells, fitted = [], 0
    try:
        for number, one in enumerate(plans, start=1):
            day = one.worldview.as_of
            cell = read_cell(place, day)
            if cell is None:
                words = _Prefixed(reporter, f"{day} ({number} of {len(plans)}): ")
                write_cell(place, fit_cell(one, words))
                cell = read_cell(place, day)
                fitted += 1
            if cell is not None:
                cells.append(cell)
    except KeyboardInterrupt:
        reporter.warn(f"{len(cells)} of {len(plans)} dates are kept in {place}; the same command goes on")
        raise
    reporter.phase("Putting the dates together")
    series = all_series(plan.host, build_graph(plan.spec, history_end(plan.spec)))
    result = assemble(
        cells,
        settings={
            **settings,
            "horizon": plan.worldview.horizon.isoformat(),
            "from": dates[0].isoformat(),
            "to": dates[-1].isoformat(),
            "as_of": [day.isoformat() for day in dates],
        },
        placebo=placebo(plan.host, plan.spec, series),
        known_by={name: known_by(one) for name, one in series.items()},
        variants=_variants(place, settings),
        blocs=plan.spec.blocs,
    )
    save_text(place / "backtest.json", to_json(result))
    return Backtest(place, result, fitted)


class _Prefixed(Reporter):
    """Says which date a phase is of."""

    def __init__(self, reporter: Reporter, prefix: str) -> None:
        self._reporter, self._prefix = reporter, prefix

    def phase(self, name: str) -> None:
        self._reporter.phase(self._prefix + name[:1].lower() + name[1:])

    def progress(self, done: int, total: int) -> None:
        self._reporter.progress(done, total)

    def warn(self, message: str) -> None:
        self._reporter.warn(message)


def _planned(plan: Plan, day: date, loaded: Loaded | None) -> Plan:
    return make_plan(
        plan.worldview,
        as_of=day,
        drivers=plan.drivers,
        plugins=plan.plugins,
        loaded=loaded,
        settings=plan.settings,
        prior_only=plan.prior_only,
    )


def _check_dates(plan: Plan, dates: Sequence[date]) -> None:
    """Refuse dates after which nothing was published: there is nothing to predict."""
    tables = [table for table in plan.host.evidence().values() if table.spec.used]
    last = max((row.date for table in tables for row in table.rows), default=None)
    if last is None:
        raise InputError("no loaded driver has evidence, so there is nothing to fit and nothing to predict")
    if dates[-1] >= last:
        raise InputError(
            f"--to {dates[-1]}: no row of evidence is about a later day (the last is about {last}), so there "
            "is nothing to predict; choose an earlier date"
        )
    make_spec(plan.worldview.replace(as_of=dates[0]), plan.host)  # says where no evidence was published yet


def _take_up(place: Path, settings: Mapping[str, Any]) -> None:
    """Begin a folder, or check that its cells were made with the same settings."""
    if place.exists() and not place.is_dir():
        raise InputError(f"--out {place}: is not a folder; name another place")
    file = place / "settings.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not a table")
    except FileNotFoundError:
        if (place / "cells").exists():
            raise InputError(f"{place}: has cells but no settings.json; give another --out") from None
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ForecastError(f"{place}: cannot be made: {error.strerror or error}") from error
        save_text(file, to_json(settings))
        return
    except (OSError, ValueError) as error:
        raise ForecastError(f"{file} is damaged; give another --out, or delete the folder") from error
    now = json.loads(to_json(settings))
    other = [words for key, words in _WORDS.items() if found.get(key) != now[key]]
    if other:
        raise InputError(
            f"{place}: holds a backtest that was made with other settings: {'; '.join(other)} differ. Give "
            "another --out, or the same settings to go on where it stopped"
        )


def _variant(settings: Mapping[str, Any]) -> str:
    """Return a name for a model: the same whatever the sampler's settings."""
    model = {key: value for key, value in settings.items() if key not in ("sampler", "seed")}
    return sha256(json.dumps(model, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _variants(place: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Count the different models that were backtested into the same folder, this one included."""
    variant = _variant(settings)
    found = {variant: {"id": variant, "worldview": settings["name"], "folder": place.name}}
    for file in sorted(place.resolve().parent.glob("*/settings.json")):
        try:
            other = json.loads(file.read_text(encoding="utf-8"))
            if other["schema"] != SETTINGS_SCHEMA:
                continue
            key = _variant(other)
            found.setdefault(key, {"id": key, "worldview": other["name"], "folder": file.parent.name})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {
        "tried": len(found),
        "this": variant,
        "list": list(found.values()),
        "note": "models whose settings stand beside this one; draws, chains and seed make no other model. "
        "A score that was the best of several is worth less than one of a model that was tried alone.",
    }


def _evidence_hash(host: Host) -> str:
    return _hash([(key, table.rows) for key, table in host.evidence().items()])


def _hash(data: Any) -> str:
    return sha256(repr(data).encode()).hexdigest()
