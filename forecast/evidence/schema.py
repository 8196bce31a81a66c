"""What a driver declares about its evidence tables, in ``evidence/tables.toml``."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from forecast.errors import InputError
from forecast.evidence.cells import IDENTIFIER
from forecast.units import Unit, UnknownUnit, parse_unit
from forecast.wording import did_you_mean, shown

HEADER = (
    "bloc", "name", "date", "value", "unit", "low", "high", "level",
    "published", "vintage", "source", "url", "note",
)  # fmt: skip
WORLD = "world"  # rows about no bloc of the model in particular: literature, accelerators
VINTAGES = ("none", "row", "whole")
TYPES = ("text", "number", "integer", "boolean", "date")
SPEC_KEYS = (
    "title", "description", "units", "default_error", "default_error_source", "secondary_error",
    "linear", "vintages", "key", "used", "licence", "columns",
)  # fmt: skip
# Without a stated `secondary_error`, a figure read second-hand is trusted half as much.
SECONDARY_FACTOR = 2.0

Cell = str | float | int | bool | date | None


@dataclass(frozen=True)
class Column:
    """A typed column that a table has beyond the common header.

    Parameters
    ----------
    name : str
        As in the CSV's header.
    kind : {"text", "number", "integer", "boolean", "date", "enumeration"}
        What its cells hold.
    choices : tuple of str
        The values that an enumeration allows, otherwise empty.
    optional : bool
        Whether a cell may be blank (it then reads as None).
    """

    name: str
    kind: str
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One table's declaration.

    Parameters
    ----------
    name : str
        The table; its file is ``<name>.csv``.
    title, description, licence : str
        For people; `licence` holds the attribution where a source asks for it.
    units : tuple of str
        Units that rows may use. Values are converted to the first where the
        dimension agrees.
    default_error : float or None
        Standard deviation of a row without interval: dex (log10), or the first
        unit when `linear`. None only where no likelihood reads the table.
    default_error_source : str
        Why that default.
    secondary_error : float or None
        The same for a row whose column ``secondary`` is true (seen in a
        secondary copy only); twice `default_error` unless stated.
    linear : bool
        True for a table whose values are not logged (index points).
    vintages : {"none", "row", "whole"}
        Whether values are re-fitted by their source, row by row or whole tables
        at a time; see `EvidenceTable.known_by`.
    key : tuple of str
        Columns that identify a row together with its bloc and name.
    used : bool
        False for a reference table that no likelihood reads.
    columns : dict of str to Column
        The typed columns.
    """

    name: str
    title: str
    description: str
    units: tuple[str, ...]
    default_error: float | None = None
    default_error_source: str = ""
    secondary_error: float | None = None
    linear: bool = False
    vintages: Literal["none", "row", "whole"] = "none"
    key: tuple[str, ...] = ()
    used: bool = True
    licence: str = ""
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """The unit that values are converted to: the first one declared."""
        return self.units[0]


def parse_specs(text: str, label: str) -> dict[str, TableSpec]:
    """Read the text of a ``tables.toml``.

    Parameters
    ----------
    text : str
        The file's text.
    label : str
        The file's name for messages.

    Returns
    -------
    dict of str to TableSpec
        By table, in the file's order.

    Raises
    ------
    InputError
        With every problem of the file, each naming table and key.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        # ValueError: a number of thousands of digits, which Python refuses to convert.
        raise InputError(f"{label}: not valid TOML: {error or 'nested too deeply'}") from None
    if not document:
        raise InputError(f"{label}: the file is empty: a table here declares each CSV beside it")
    problems: list[str] = []
    specs: dict[str, TableSpec] = {}
    for name, declared in document.items():
        if not IDENTIFIER.fullmatch(name):
            rule = "lowercase letters, digits and _"
            problems.append(f"{label}: [{shown(name)}] is not a table's name ({rule})")
        elif not isinstance(declared, dict):
            problems.append(f"{label}: {name} must be a table, [{name}] with title, units, … under it")
        else:
            declaration = _Declaration(f"{label}: [{name}]", declared, problems)
            specs[name] = declaration.spec(name)
    if problems:
        raise InputError(problems)
    return specs


class _Declaration:
    """Takes one table's keys apart; problems are noted, never raised, so that all are seen at once."""

    def __init__(self, place: str, declared: dict[str, Any], problems: list[str]) -> None:
        self.place = place
        self.declared = declared
        self.problems = problems

    def spec(self, name: str) -> TableSpec:
        for key in self.declared:
            if key not in SPEC_KEYS:
                self.note(key, f"unknown key{did_you_mean(key, SPEC_KEYS)}")
        used, linear = self.boolean("used", True), self.boolean("linear", False)
        columns = self.columns()
        default = self.error("default_error", used=used)
        secondary = self.error("secondary_error", used=used)
        if secondary is None and default is not None:
            secondary = SECONDARY_FACTOR * default
        return TableSpec(
            name=name,
            title=self.text("title", required=True),
            description=self.text("description", required=True),
            units=self.units(linear),
            default_error=default,
            default_error_source=self.text("default_error_source", required=default is not None),
            secondary_error=secondary,
            linear=linear,
            vintages=self.vintages(),
            key=self.key(columns),
            used=used,
            licence=self.text("licence", required=False),
            columns=columns,
        )

    def note(self, key: str, sentence: str) -> None:
        self.problems.append(f"{self.place} {key}: {sentence}")

    def text(self, key: str, *, required: bool) -> str:
        value = self.declared.get(key)
        if value is None and not required:
            return ""
        if isinstance(value, str) and (value.strip() or not required):
            return value.strip()
        self.note(key, "is missing" if value is None else "must be a text that is not blank")
        return ""

    def boolean(self, key: str, default: bool) -> bool:
        value = self.declared.get(key, default)
        if not isinstance(value, bool):
            self.note(key, f"must be true or false, got {shown(value)}")
            return default
        return value

    def error(self, key: str, *, used: bool) -> float | None:
        value = self.declared.get(key)
        if value is None:
            if used and key == "default_error":
                self.note(key, "is missing: the standard deviation of a row that has no interval")
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.note(key, f"must be a number, got {shown(value)}")
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        # A count of events in a table that nothing fits may be exact; a likelihood needs some width.
        if not (math.isfinite(number) and (number > 0 or number == 0 and not used)):
            self.note(key, f"must be positive and finite, got {number:g}")
            return None
        return number

    def words(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return a list of texts, none twice; None, and a note, where it is something else."""
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.note(key, "must be a list of texts")
            return None
        if len(set(value)) < len(value):
            self.note(key, "names something twice")
            return None
        return tuple(value)

    def units(self, linear: bool) -> tuple[str, ...]:
        units = self.words("units", self.declared.get("units", []))
        if units == ():
            self.note("units", "is missing: a list of the units that rows may use")
        parsed: list[Unit] = []
        for unit in units or ():
            try:
                parsed.append(parse_unit(unit))
            except UnknownUnit as error:
                self.note("units", str(error))
        for number, known in enumerate(parsed):
            # A log beside its plain unit is converted to that; by itself it would be logged twice.
            plain = number > 0 and known.dimension == parsed[0].dimension and not parsed[0].log10
            if known.log10 and not linear and not plain:
                cure = f"list {known.linear_name!r} first, or set linear = true"
                self.note("units", f"{known.name!r} is a log already: {cure}")
        return units or ("",)

    def vintages(self) -> Literal["none", "row", "whole"]:
        value = self.declared.get("vintages", "none")
        if value not in VINTAGES:
            self.note("vintages", f"must be one of {', '.join(VINTAGES)}, got {shown(value)}")
            return "none"
        return value  # type: ignore[no-any-return]

    def key(self, columns: dict[str, Column]) -> tuple[str, ...]:
        key = self.words("key", self.declared.get("key", [])) or ()
        for name in key:
            if name not in columns and name not in HEADER:
                self.note(
                    "key", f"{name!r} is no column of the table{did_you_mean(name, [*columns, *HEADER])}"
                )
        return key

    def columns(self) -> dict[str, Column]:
        declared = self.declared.get("columns", {})
        if not isinstance(declared, dict):
            self.note("columns", "must be a table of column = type")
            return {}
        columns = {name: self.column(name, kind) for name, kind in declared.items()}
        return {name: column for name, column in columns.items() if column is not None}

    def column(self, name: str, kind: object) -> Column | None:
        place = f"columns.{name}"
        if not IDENTIFIER.fullmatch(name) or name in HEADER:
            self.note(place, "is a column of every table" if name in HEADER else "is not a column's name")
            return None
        if isinstance(kind, list):
            choices = self.words(place, kind)
            if choices == ():
                self.note(place, "is an enumeration of nothing")
            # A blank among the choices is how an enumeration says that a cell may be blank.
            filled = tuple(choice for choice in choices or () if choice)
            return Column(name, "enumeration", filled, optional="" in (choices or ()))
        if not isinstance(kind, str) or kind.removesuffix("?") not in TYPES:
            known = ", ".join(TYPES)
            blank = "with ? if cells may be blank"
            self.note(place, f"must be one of {known}, {blank}, or a list; got {shown(kind)}")
            return None
        return Column(name, kind.removesuffix("?"), optional=kind.endswith("?"))
