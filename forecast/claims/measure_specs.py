"""The closed set of measures by which a claim is checked: what each may say in a claims file."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.dates import parse_date
from forecast.units import UnknownUnit, parse_unit
from forecast.wording import shown

PROBABILITY = "probability"

LARGEST = 1e100
"""The largest number of a claims file, and the smallest is one over it: products of some stay finite."""

INDEX_ERROR = 1.5
"""Of a model's index score where nothing else is said, points; as in the table of the index."""


def read_number(value: object) -> float:
    """Read a finite number that is not a boolean, of a size that arithmetic and pictures can hold.

    Raises
    ------
    ValueError
        In words.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {shown(value)}")
    if number and not 1 / LARGEST <= abs(number) <= LARGEST:
        raise ValueError(f"must be 0, or between {1 / LARGEST:g} and {LARGEST:g} in size, got {shown(value)}")
    return number


def read_unit(value: object) -> str:
    """Read a unit of the vocabulary.

    Raises
    ------
    ValueError
        With the nearest names.
    """
    if not isinstance(value, str):
        raise ValueError(f"must be text, got {shown(value)}")
    try:
        parse_unit(value)
    except UnknownUnit as error:
        raise ValueError(str(error)) from None
    return value


def read_address(value: object) -> str:
    """Read a web address.

    Raises
    ------
    ValueError
        In words.
    """
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or " " in value:
        raise ValueError(f"must be a web address that begins with https://, got {shown(value)}")
    return value


def read_error(value: object) -> float:
    """Read the error of a score: a number that is not negative and no larger than scores are.

    Raises
    ------
    ValueError
        In words.
    """
    error = read_number(value)
    if not 0 <= error <= 1000:
        raise ValueError(f"must be from 0 to 1000, got {shown(value)}")
    return error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be text that is not blank, got {shown(value)}")
    return value.strip()


def _cell(value: object) -> object:
    """A cell of a table; a day may be written as a day or as text."""
    return value.isoformat() if isinstance(value, date) else value


def _listed(value: object) -> object:
    """One thing, or a list of several."""
    return value if isinstance(value, list) else [value]


type Day = Annotated[date, BeforeValidator(parse_date)]
type Number = Annotated[float, BeforeValidator(read_number)]
type ScoreError = Annotated[float, BeforeValidator(read_error)]
type UnitName = Annotated[str, BeforeValidator(read_unit)]
type Address = Annotated[str, BeforeValidator(read_address)]
type Text = Annotated[str, BeforeValidator(_text)]
type Cell = Annotated[str | int | float | bool, BeforeValidator(_cell)]


class Table(BaseModel):
    """A table of a claims file: a key that nothing reads is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Amount(Table):
    """A number with its unit."""

    value: Number
    unit: UnitName


class Figure(Table):
    """A published figure: a row of an installed evidence table, or a number with its source."""

    table: Text | None = None
    name: Text | None = None
    where: dict[str, Cell] = Field(default_factory=dict)
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    level: Number = 0.9
    unit: UnitName | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Figure:
        if (self.table is None) == (self.value is None):
            raise ValueError("must have either table (and name), or value (with unit and source)")
        if (self.table is None) != (self.name is None):
            raise ValueError("a row of a table needs table and name")
        if self.value is not None and (self.unit is None or self.source is None):
            raise ValueError("a value needs a unit and a source")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has low and high")
        if self.low is not None and self.high is not None and self.value is not None:
            if not 0 < self.low <= self.value <= self.high:
                raise ValueError("must have 0 < low <= value <= high")
        if self.value is not None and self.value <= 0:
            raise ValueError(f"a published figure is above zero, got value = {self.value:g}")
        if not 0.01 <= self.level <= 0.9999:
            raise ValueError(f"level must lie between 0.01 and 0.9999, got {self.level:g}")
        return self


class Measure(Table):
    """What all measures share."""

    gives: ClassVar[str | None] = None
    reads: ClassVar[str] = ""

    @property
    def unit(self) -> str | None:
        """Unit of what is measured; None where only a run's quantity says it."""
        if getattr(self, "at_least", None) is not None:
            return PROBABILITY
        result: str | None = getattr(self, "result", self.gives)
        return result

    @property
    def about(self) -> str | None:
        """The quantity, milestone or table that is read; None for published figures alone."""
        return str(getattr(self, self.reads)) if self.reads else None


class _OfQuantity(Measure):
    reads: ClassVar[str] = "quantity"
    quantity: Text


class _Period(Table):
    from_: Day = Field(alias="from")
    to: Day

    @model_validator(mode="after")
    def _in_order(self) -> _Period:
        if self.to <= self.from_:
            raise ValueError(f"to ({self.to}) must be after from ({self.from_})")
        return self


class Growth(_Period, _OfQuantity):
    """Factor per year by which a quantity grew, or with ``falls`` fell, between two days."""

    gives: ClassVar[str | None] = "x/year"
    kind: Literal["growth"]
    bloc: Text = "leader"
    falls: bool = False


class Level(_OfQuantity):
    """A quantity of a bloc on a day; with ``at_least`` the probability that it is as much."""

    kind: Literal["level"]
    bloc: Text
    channel: Text | None = None
    on: Day
    at_least: Amount | None = None


class Exceeds(_OfQuantity):
    """Probability that a quantity of a bloc is larger than another on a day."""

    gives: ClassVar[str | None] = PROBABILITY
    kind: Literal["exceeds"]
    than: Text
    bloc: Text
    on: Day


class Model(Table):
    """A model in a table: its name, and the method where it has several rows."""

    name: Text
    method: Text | None = None


class Lag(_OfQuantity):
    """Months since the leader had what the follower, or one model of the follower's, has on a day."""

    gives: ClassVar[str | None] = "month"
    kind: Literal["lag"]
    leader: Text
    follower: Text
    on: Day
    subject: Model | None = None
    table: Text = "capability_index"
    index_error: ScoreError | None = None
    index_scatter: Text | None = None

    @model_validator(mode="after")
    def _of_one_model(self) -> Lag:
        if (self.subject is None) != (self.index_scatter is None):
            raise ValueError("a subject needs index_scatter, the scatter of models, and the other way round")
        if self.subject is None and self.index_error is not None:
            raise ValueError("index_error is that of a subject's score, and there is no subject")
        return self


class Crossing(_Period, Measure):
    """Probability that a milestone is crossed between two days, both included; ``first`` is any bloc."""

    gives: ClassVar[str | None] = PROBABILITY
    reads: ClassVar[str] = "milestone"
    kind: Literal["crossing"]
    milestone: Text = "agi"
    bloc: Text = "first"


class AtCrossing(_OfQuantity):
    """A quantity when a bloc crosses a milestone; with ``at_least`` the probability that it is as much."""

    kind: Literal["at_crossing"]
    milestone: Text = "agi"
    bloc: Text
    at_least: Amount | None = None


class World(Measure):
    """Probability of these worlds at the end of a day: bipolar, unipolar:BLOC, neither."""

    gives: ClassVar[str | None] = PROBABILITY
    reads: ClassVar[str] = "milestone"
    kind: Literal["world"]
    milestone: Text = "agi"
    worlds: list[Text] = Field(min_length=1)
    on: Day

    @model_validator(mode="after")
    def _known(self) -> World:
        for world in self.worlds:
            if world not in ("bipolar", "neither") and not world.startswith("unipolar:"):
                raise ValueError(f"worlds are bipolar, neither or unipolar:BLOC, got {shown(world)}")
        return self


type Figures = Annotated[list[Figure], BeforeValidator(_listed), Field(min_length=1)]


class Ratio(Measure):
    """One published figure over another; of several, each is as likely."""

    gives: ClassVar[str | None] = "number"
    kind: Literal["ratio"]
    of: Figures
    to: Figures


class Product(Measure):
    """Published figures multiplied; a factor may be a list, of which each is as likely."""

    kind: Literal["product"]
    factors: list[Figures] = Field(min_length=1)
    result: UnitName


class Count(Measure):
    """Probability that at least ``number`` rows of an evidence table are as large as ``at_least``."""

    reads: ClassVar[str] = "table"
    kind: Literal["count"]
    table: Text
    where: dict[str, Cell] = Field(default_factory=dict)
    at_least: Amount
    number: int = Field(ge=1)


class OnTrend(Measure):
    """What a model of this capability was expected to cost at its date, beside what it did cost."""

    gives: ClassVar[str | None] = "USD"
    reads: ClassVar[str] = "table"
    kind: Literal["on_trend"]
    table: Text = "training_costs"
    subject: Model
    beside: list[Model] = Field(default_factory=list)
    scatter_where: dict[str, Cell] | None = None
    index_error: ScoreError = INDEX_ERROR
    index_scatter: Text
    cost_scatter: Text


class NotMeasured(Measure):
    """What the model cannot speak of, and why."""

    kind: Literal["none"]
    reason: Text


MEASURES: dict[str, type[Measure]] = {
    "growth": Growth,
    "level": Level,
    "exceeds": Exceeds,
    "lag": Lag,
    "crossing": Crossing,
    "at_crossing": AtCrossing,
    "world": World,
    "ratio": Ratio,
    "product": Product,
    "count": Count,
    "on_trend": OnTrend,
    "none": NotMeasured,
}
"""Measures by the word that a claims file calls them."""


def keys_of(model: type[Table]) -> list[str]:
    """Keys that a table may have."""
    return [field.alias or name for name, field in model.model_fields.items()]


def as_table(value: Any) -> bool:
    """Whether a value of a TOML file is a table."""
    return isinstance(value, dict)
