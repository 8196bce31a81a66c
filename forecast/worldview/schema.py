"""The shape of a prior file, and pydantic's complaints in our words."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from forecast.dates import parse_date
from forecast.errors import InputError
from forecast.wording import did_you_mean, shown
from forecast.worldview.correlations import read_correlations
from forecast.worldview.families import number
from forecast.worldview.files import Document
from forecast.worldview.interventions import Intervention
from forecast.worldview.milestones import NODE_KEYS, read_node
from forecast.worldview.origins import SLOT_TABLES, Locator, Problems
from forecast.worldview.prior_tables import read_prior
from forecast.worldview.toml_lines import Path

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LABEL = re.compile(r"[A-Za-z0-9_-]+")
LARGEST_SEED = 2**63 - 1

LONGEST_LEAD = 1000.0
"""Years; a limit between unipolar and bipolar beyond it is a slip, and overflows in pictures."""

LONGEST_TITLE = 200
"""Characters; a longer one leaves no room in tables and pictures for what it is the title of."""

_TAKEN = ("accepted", "bloc", "chain", "draw")
"""Names that results.nc has beside the milestones'."""


def _probability(value: object) -> float:
    p = number(value)
    if p is None or not 0 <= p <= 1:
        raise ValueError(f"must be a probability between 0 and 1, got {shown(value)}")
    return p


def _years(value: object) -> float:
    years = number(value)
    if years is None or not math.isfinite(years) or years <= 0:
        raise ValueError(f"must be a positive number of years, got {shown(value)}")
    if years > LONGEST_LEAD:
        raise ValueError(f"must be {LONGEST_LEAD:g} years at most, got {shown(value)}")
    return years


def _title(value: object) -> object:
    if isinstance(value, str) and any(unicodedata.category(letter) == "Cc" for letter in value):
        raise ValueError(f"must be one line without control characters, got {shown(value)}")
    if isinstance(value, str) and len(value) > LONGEST_TITLE:
        raise ValueError(f"must have {LONGEST_TITLE} characters at most, got {len(value)}")
    return value


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_SEED:
        raise ValueError(f"must be a whole number from 0 to 2^63 - 1, got {shown(value)}")
    return value


type Day = Annotated[date, BeforeValidator(parse_date)]
type Probability = Annotated[float, BeforeValidator(_probability)]
type Years = Annotated[float, BeforeValidator(_years)]
type Title = Annotated[str, BeforeValidator(_title)]
type Seed = Annotated[int, BeforeValidator(_seed)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class WindowTable(_Table):
    """``[window]``: both days inclusive."""

    start: Day | None = None
    end: Day | None = None


class DriversTable(_Table):
    """``[drivers]``."""

    disable: list[str] | None = None


class LeadTable(_Table):
    """``[lead]``: which bloc's lead over which is reported."""

    leader: str | None = None
    follower: str | None = None
    within_years: Years | None = None


class MilestoneTable(_Table):
    """``[milestones.<name>]``; the condition's tree is read by ``read_node``."""

    title: Title | None = None
    not_yet_crossed: bool | None = None
    unreachable: Probability | None = None
    announced_after: str | None = None
    all_: Any = Field(default=None, alias="all")
    any_: Any = Field(default=None, alias="any")
    mixture: Any = None
    quantity: Any = None
    at_least: Any = None


class CorrelationTable(_Table):
    """``[correlations.<name>]``; read by ``read_correlations``."""

    between: Any = None
    correlation: Any = None
    source: str | None = None


class WorldviewFile(_Table):
    """A prior file; the laws inside prior tables are read by ``read_prior``."""

    name: str | None = None
    title: Title | None = None
    description: str | None = None
    extends: str | Literal[False] | None = None
    as_of: Day | None = None
    horizon: Day | None = None
    seed: Seed | None = None
    window: WindowTable | None = None
    blocs: dict[str, Title] | None = None
    drivers: DriversTable | None = None
    priors: dict[str, dict[str, Any]] | None = None
    milestones: dict[str, MilestoneTable] | None = None
    thresholds: dict[str, Any] | None = None
    correlations: dict[str, CorrelationTable] | None = None
    lead: LeadTable | None = None
    kind: Literal["intervene", "assume"] | None = None
    source: str | None = None
    intervene: list[Any] | None = None
    set: dict[str, Any] | None = None


TABLES: dict[str, type[_Table]] = {"window": WindowTable, "drivers": DriversTable, "lead": LeadTable}


def keys_of(model: type[_Table]) -> list[str]:
    """Return the keys that a table may have."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(path: Path) -> type[_Table] | None:
    if not path:
        return WorldviewFile
    if path[0] == "milestones" and len(path) == 2:
        return MilestoneTable
    if path[0] == "correlations" and len(path) == 2:
        return CorrelationTable
    return TABLES.get(str(path[0])) if len(path) == 1 else None


_SENTENCES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "list_type": "must be a list",
}
_EXTENDS = "must be the name of a worldview, or false for a file that stands alone"


def check_file(document: Document, problems: Problems) -> None:
    """Check all that can be said of one file by itself.

    Parameters
    ----------
    document : Document
    problems : Problems
        Receives every problem, each with file, line and key.
    """
    check_tables(document.data, document, problems)
    for key, value in _tables_of(document.data, "thresholds"):
        check_name(("thresholds", key), document, problems)
        read_prior(value, ("thresholds", key), document, problems, "threshold")
    for driver, table in _tables_of(document.data, "priors"):
        check_name(("priors", driver), document, problems)
        _check_driver(driver, table, document, problems)
    for name, _ in _tables_of(document.data, "correlations"):
        check_name(("correlations", name), document, problems)
    read_correlations(document.data, document, problems)
    check_interventions(document.data, document, problems)
    for name, table in _tables_of(document.data, "milestones"):
        check_name(("milestones", name), document, problems)
        if name in _TAKEN:
            problems.add(
                document.origin(("milestones", name)), "results go by this name already: choose another"
            )
        if isinstance(table, dict) and any(key in table for key in NODE_KEYS):
            read_node(table, ("milestones", name), document, problems)


def check_interventions(data: dict[str, Any], where: Locator, problems: Problems) -> list[Intervention]:
    """Read the list ``intervene``; a change that cannot be read is a problem and is left out."""
    changes = data.get("intervene")
    found = []
    for index, table in enumerate(changes if isinstance(changes, list) else ()):
        if not isinstance(table, dict):
            problems.add(where.origin(("intervene", index)), f"must be a table, got {shown(table)}")
            continue
        try:
            found.append(Intervention.read(table))
        except InputError as error:
            problems.add(where.origin(("intervene", index)), str(error))
    return found


def _tables_of(data: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    table = data.get(key)
    return list(table.items()) if isinstance(table, dict) else []


def check_name(path: Path, where: Locator, problems: Problems) -> None:
    """Refuse names that could not be addressed by ``--set`` or name a variable."""
    name = str(path[-1])
    if not NAME.fullmatch(name) or len(name) > 100:
        problems.add(where.origin(path), "a name has letters, digits, - and _, and begins with a letter")


def _check_driver(driver: str, table: object, document: Document, problems: Problems) -> None:
    if not isinstance(table, dict):
        return  # said already
    for key, value in table.items():
        path: Path = ("priors", driver, key)
        if key not in SLOT_TABLES:
            check_name(path, document, problems)
            read_prior(value, path, document, problems, "parameter")
            continue
        if not isinstance(value, dict):
            problems.add(document.origin(path), f"must be a table, got {shown(value)}")
            continue
        for label, parameters in value.items():
            if not isinstance(parameters, dict):
                what = "bloc" if key == "by_bloc" else "epoch"
                problems.add(
                    document.origin((*path, label)),
                    f"must be a table of one {what}'s parameters, got {shown(parameters)}",
                )
                continue
            for parameter, prior in parameters.items():
                at = (*path, label, parameter)
                found = read_prior(prior, at, document, problems, "parameter")
                if found and found.blocs is not None and key == "by_bloc":
                    problems.add(document.origin(at), "blocs has no meaning inside by_bloc")


def check_tables(data: dict[str, Any], where: Locator, problems: Problems) -> WorldviewFile | None:
    """Check keys and types with pydantic.

    Returns
    -------
    WorldviewFile or None
        None if there was any problem.
    """
    try:
        return WorldviewFile.model_validate(data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            _translate(dict(found), where, problems)
    except (RecursionError, ValueError, OverflowError):
        problems.add(where.origin(()), "cannot be read: its tables are nested too deeply")
    return None


def _translate(found: dict[str, Any], where: Locator, problems: Problems) -> None:
    # A union adds the name of the alternative as a last step of the path: extends.str.
    path: Path = tuple(part for part in found["loc"])
    if path and path[0] in ("extends",):
        path = path[:1]
    kind, value = str(found["type"]), found.get("input")
    if kind == "extra_forbidden":
        model = _model_at(path[:-1])
        valid = keys_of(model) if model else []
        problems.add(where.origin(path), f"nothing reads this key{did_you_mean(str(path[-1]), valid)}")
    elif kind == "value_error":
        problems.add(where.origin(path), str(found["ctx"]["error"]))
    elif path == ("extends",):
        problems.add(where.origin(path), f"{_EXTENDS}, got {shown(value)}")
    elif kind == "literal_error":
        problems.add(where.origin(path), f"must be {found['ctx']['expected']}, got {shown(value)}")
    elif path[:1] == ("priors",) and len(path) == 2 and kind == "dict_type":
        problems.add(where.origin(path), f"must be a table of parameters, got {shown(value)}")
    else:
        said = _SENTENCES.get(kind, found["msg"])
        problems.add(where.origin(path), f"{said}, got {shown(value)}")
