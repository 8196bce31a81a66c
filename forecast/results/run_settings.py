"""What a saved run was told, as flat keys: its prior file and its manifest."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from forecast.errors import ForecastError
from forecast.results.stored import StoredRun

DEFAULT = "the driver's default"
GENERAL = "its general prior"
LEFT_OUT = "the driver is left out"
NO_BLOC = "it has no such bloc"

# They say nothing that changes a number.
_WORDS = frozenset({"name", "title", "description", "extends", "source", "note", "judgement"})
_NODES = ("all", "any", "mixture", "quantity", "at_least")
_SLOTS = ("by_bloc", "by_epoch")
_ORDER = (
    *("as_of", "window", "horizon", "prior_only", "blocs", "lead", "drivers", "intervene", "milestones"),
    *(
        "thresholds",
        "correlations",
        "priors",
        "evidence_rows",
        "evidence_hash",
        "seed",
        "sampler",
        "versions",
    ),
)


def setting_differences(runs: Sequence[StoredRun]) -> list[dict[str, Any]]:
    """List the settings in which runs differ.

    Parameters
    ----------
    runs : sequence of StoredRun

    Returns
    -------
    list of dict
        ``{"key": "priors.investment.growth", "values": [...]}`` with a value
        for each run: a number, a truth value or text; None where a run has no
        such setting. A prior that a run's worldview does not state is "the
        driver's default" there.

    Raises
    ------
    ForecastError
        Where a ``worldview.toml`` is damaged.
    """
    settings = [run_settings(run) for run in runs]
    keys = sorted(dict.fromkeys(key for one in settings for key in one), key=_place)
    rows: dict[str, list[Any]] = {}
    for key in keys:
        values = [
            one[key] if key in one else _unstated(key, one, run)
            for one, run in zip(settings, runs, strict=True)
        ]
        if any(value != values[0] for value in values) and not _said_above(key, values, rows):
            rows[key] = values
    return [{"key": key, "values": values} for key, values in rows.items()]


def _said_above(key: str, values: list[Any], rows: Mapping[str, list[Any]]) -> bool:
    """Whether a setting differs only because some runs lack the milestone that it belongs to."""
    above = rows.get(key.rpartition(".")[0], [])
    lacking = [value is None for value in above]
    return (
        any(lacking)
        and lacking == [value is None for value in values]
        and len({str(value) for value in values if value is not None}) == 1
    )


def run_settings(run: StoredRun) -> dict[str, Any]:
    """Everything that a run's files say of how it was made, by dotted key.

    Parameters
    ----------
    run : StoredRun

    Returns
    -------
    dict
        Numbers and truth values as they are; dates, priors, lists and tables
        as one line of text.
    """
    table = _worldview_table(run)
    edits = _table(table.pop("set", None))
    found = {key: value for section, told in table.items() for key, value in _section(section, told)}
    for dotted, value in edits.items():
        key, _, parameter = dotted.rpartition(".")
        before = str(found.get(key, DEFAULT))
        found[key] = f"{before}{',' if ' with ' in before else ' with'} {parameter} = {_text(value)}"
    found["prior_only"] = run.summary["prior_only"]
    sampler = run.summary.get("sampler", {})
    found |= {f"sampler.{key}": value for key, value in sampler.items() if key != "seed"}
    manifest = run.manifest
    for section, key in (("drivers", "drivers"), ("evidence", "evidence_rows")):
        found |= {f"{key}.{name}": value for name, value in _table(manifest.get(section)).items()}
    if "evidence" in _table(manifest.get("hashes")):
        found["evidence_hash"] = str(manifest["hashes"]["evidence"])[:8]
    if "agi-forecast" in _table(manifest.get("versions")):
        found["versions.agi-forecast"] = manifest["versions"]["agi-forecast"]
    return found


def _worldview_table(run: StoredRun) -> dict[str, Any]:
    path = run.path / "worldview.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ForecastError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ForecastError(f"{path} is damaged: it is not TOML ({error}). Make the run again.") from error


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _section(section: str, told: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of one table, list or value of a prior file's top level."""
    table = _table(told)
    if section in _WORDS:
        return
    if section == "window":
        yield section, f"{_text(table.get('start', ''))} to {_text(table.get('end', ''))}"
    elif section == "milestones":
        for name, milestone in table.items():
            yield f"{section}.{name}", _condition(milestone)
            rest = {key: value for key, value in _table(milestone).items() if key not in _NODES}
            yield from _flat((section, name), rest)
    else:
        yield from _flat((section,), told)


def _flat(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested tables, in which a prior is one value."""
    if isinstance(value, Mapping) and not _is_law(value):
        for key, inner in value.items():
            # A driver or a bloc may be called like one of the words.
            if key not in _WORDS or isinstance(inner, Mapping) or path == ("blocs",):
                yield from _flat((*path, key), inner)
        return
    yield ".".join(path), value if isinstance(value, bool | int | float | str) else _text(value)


def _is_law(table: Mapping[str, Any]) -> bool:
    kinds = {"distribution": str, "value": int | float, "mixture": list}
    return any(isinstance(table.get(key), kind) for key, kind in kinds.items())


def _text(value: Any) -> str:
    """One line for a value, a prior, or a list of tables."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return format(value, ".10g")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        if _is_law(value):
            return _law(value)
        said = {key: inner for key, inner in value.items() if key not in _WORDS}
        return f"{{{', '.join(f'{key} = {_text(inner)}' for key, inner in said.items())}}}"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return str(value)


def _condition(table: Any) -> str:
    """A milestone's condition in one line: ``all of (a at least x; b at least y)``."""
    node = _table(table)
    if "quantity" in node:
        return f"{node['quantity']} at least {_text(node.get('at_least', ''))}"
    for kind, words in (("all", "all of"), ("any", "any of"), ("mixture", "in each draw one of")):
        if isinstance(node.get(kind), list):
            parts = (
                f"{_text(part['weight'])} {_condition(part)}"
                if "weight" in _table(part)
                else _condition(part)
                for part in node[kind]
            )
            return f"{words} ({'; '.join(parts)})"
    return ""


def _law(table: Mapping[str, Any]) -> str:
    """A prior in one line, such as ``Normal(mu=0.2, sigma=0.1) OOM/year``."""
    said = {key: value for key, value in table.items() if key not in _WORDS and key not in ("unit", "weight")}
    if isinstance(said.get("mixture"), list):
        parts = [f"{_text(part['weight'])} {_law(part)}" for part in said.pop("mixture")]
        head = f"mixture of {', '.join(parts)}"
    elif "value" in said:
        head = _text(said.pop("value"))
    else:
        family = said.pop("distribution", "")
        # Hyperparameters or quantiles; the success rate belongs to a threshold, not to its family.
        numbers = [key for key, value in said.items() if isinstance(value, int | float) and key != "success"]
        head = f"{family}({', '.join(f'{key}={_text(said.pop(key))}' for key in numbers)})"
    unit = f" {table['unit']}" if "unit" in table else ""
    return f"{head}{unit}" + "".join(f", {key} {_text(value)}" for key, value in said.items())


def _unstated(key: str, settings: Mapping[str, Any], run: StoredRun) -> str | None:
    """What holds where a run does not state a setting."""
    if key in ("drivers.disable", "intervene"):
        return "none"
    section, *path = key.split(".")
    if section != "priors" or len(path) < 2:
        return None
    driver = path[0]
    loaded = run.manifest.get("drivers")
    if isinstance(loaded, Mapping) and loaded and driver not in loaded:
        return LEFT_OUT
    if driver in str(settings.get("drivers.disable", "")).split(", "):
        return LEFT_OUT
    if path[1] == "by_bloc" and len(path) > 2 and f"blocs.{path[2]}" not in settings:
        return NO_BLOC
    if path[1] in _SLOTS and len(path) > 3:
        general = settings.get(f"priors.{driver}.{path[-1]}")
        # Keys set on the driver's default leave its priors by bloc or epoch where they are.
        if general is not None and not str(general).startswith(DEFAULT):
            return GENERAL
    return DEFAULT


def _place(key: str) -> tuple[int, str]:
    section = key.partition(".")[0]
    return (_ORDER.index(section) if section in _ORDER else len(_ORDER), key)
