"""Charts as plain dicts for plotly.js: figures, what can be chosen, and how text and dates are written.

Colours are tokens such as ``$bloc0`` or ``$ink@0.2``: the page puts in those of its theme.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.dates import end_of, from_decimal_year

Floats = NDArray[np.float64]
Trace = dict[str, Any]

BLOC_TOKENS = 6
"""Colours of blocs; they repeat after these, as in the pictures."""


@dataclass(frozen=True)
class Figure:
    """What is drawn at a time.

    Attributes
    ----------
    traces : list of dict
        As plotly.js takes them; ``legendgroup`` names what a button shows and hides.
    layout : dict
    note : str
        What this figure is, in words; also its text alternative.
    """

    traces: list[Trace]
    layout: dict[str, Any]
    note: str


@dataclass(frozen=True)
class Choice:
    """One of several figures of a chart: a row of buttons, or a list to select from.

    Attributes
    ----------
    label : str
    options : list of (str, str)
        Key and words; keys of all choices, joined by ``|``, are the key of a figure.
    """

    label: str
    options: list[tuple[str, str]]

    @property
    def is_long(self) -> bool:
        """Whether the options would fill more than a line as buttons."""
        return len(self.options) > 3 or sum(len(words) for _, words in self.options) > 60


@dataclass(frozen=True)
class Numbers:
    """The table beside a chart, for those who do not see it."""

    head: list[str]
    rows: list[list[str]]
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart of the page.

    Attributes
    ----------
    id, title : str
    figures : dict of str to Figure
        By key; the first is drawn first.
    choices : list of Choice
    groups : list of (str, str, str)
        What buttons show and hide: ``legendgroup``, words, colour.
    numbers : Numbers or None
    caption : str
        Source and how to read it.
    height : int
        Pixels.
    shared : dict of str to list
        Values that several traces have in common: ``"x": {"shared": "months"}``.
    """

    id: str
    title: str
    figures: dict[str, Figure]
    choices: list[Choice] = field(default_factory=list)
    groups: list[tuple[str, str, str]] = field(default_factory=list)
    numbers: Numbers | None = None
    caption: str = ""
    height: int = 380
    shared: Mapping[str, list[str]] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """For the page's script."""
        return {
            "height": self.height,
            "shared": dict(self.shared),
            "figures": {
                key: {"traces": one.traces, "layout": one.layout, "note": one.note}
                for key, one in self.figures.items()
            },
        }


def words(text: object) -> str:
    """Text for plotly.js, which reads a little HTML: what anybody wrote is shown as written."""
    return html.escape(" ".join(str(text).split()), quote=False).replace("%{", "%\u200b{")


def chance(p: float, mcse: float | None) -> str:
    """A probability with its Monte Carlo standard error, as "0.081 ± 0.004"."""
    if mcse is None:
        return f"{p:.3f}"
    return f"{p:.3f} ± {f'{mcse:.3f}' if mcse >= 0.0005 else '<0.001'}"


def signed(text: str) -> str:
    """A written number without the sign of a zero."""
    return text[1:] if text[:1] in "+-" and not text.strip("+-0.") else text


def sentence(text: object) -> str:
    """A message with a capital letter and a full stop."""
    said = " ".join(str(text).split())
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}"


def wrapped(text: object, width: int = 56, most: int = 6) -> str:
    """The same in several lines, for what shows under the pointer."""
    import textwrap

    lines = textwrap.wrap(" ".join(str(text).split()), width)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: width - 1]}…"]
    return "<br>".join(words(line) for line in lines)


def numbers(values: Iterable[float], digits: int = 4) -> list[float | None]:
    """Round for the page: so many significant digits, None for what is not finite."""
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in _floats(values)]


def fixed(values: Iterable[float], decimals: int = 3) -> list[float | None]:
    """Round to so many decimals; None for what is not finite."""
    return [round(value, decimals) if math.isfinite(value) else None for value in _floats(values)]


def _floats(values: Iterable[float]) -> list[float]:
    """Numbers of Python, of which each is handled in a third of the time of NumPy's."""
    given = values if isinstance(values, np.ndarray) else list(values)
    found: list[float] = np.asarray(given, dtype=float).tolist()
    return found


def day(year: float) -> str:
    """A decimal year as the ISO day that holds it."""
    return from_decimal_year(year).isoformat()


def days(years: Iterable[float]) -> list[str]:
    """Decimal years as ISO days."""
    return [day(float(year)) for year in years]


def bloc_tokens(blocs: Sequence[str]) -> dict[str, str]:
    """Colour of each bloc by its place."""
    return {bloc: f"$bloc{index % BLOC_TOKENS}" for index, bloc in enumerate(blocs)}


def layout(x: str = "", y: str = "", **more: Any) -> dict[str, Any]:
    """Layout that all charts share, with titles of the axes.

    Parameters
    ----------
    x, y : str
        Titles, escaped here.
    **more
        Keys of plotly.js that are added or override; ``xaxis`` and ``yaxis`` are merged.
    """
    base: dict[str, Any] = {
        "margin": {"l": 64, "r": 16, "t": 28, "b": 48},
        "hovermode": "closest",
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        "xaxis": {"title": {"text": words(x), "standoff": 10}, "zeroline": False, "automargin": True},
        "yaxis": {"title": {"text": words(y), "standoff": 8}, "zeroline": False, "automargin": True},
    }
    for key in ("xaxis", "yaxis"):
        base[key] |= more.pop(key, {})
    return base | more


def date_axis(first: float, last: float, **more: Any) -> dict[str, Any]:
    """An axis of dates between two decimal years, with years at its ticks."""
    return {
        "type": "date",
        "range": [day(first), day(last)],
        "hoverformat": "%b %Y",
        "tickformatstops": [
            {"dtickrange": [None, "M11"], "value": "%b %Y"},
            {"dtickrange": ["M12", None], "value": "%Y"},
        ],
        **more,
    }


def percent_axis(**more: Any) -> dict[str, Any]:
    """An axis of shares, from 0 to 100%."""
    return {"tickformat": ".0%", "hoverformat": ".1%", "range": [0, 1], **more}


def window_shapes(window: Mapping[str, str], as_of: str | None) -> dict[str, Any]:
    """Shade a window, both days inclusive, and mark the as-of date; as layout."""
    last = day(end_of(date.fromisoformat(window["end"])))
    shapes = [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": window["start"], "x1": last, "y0": 0, "y1": 1,
            "fillcolor": "$shade", "line": {"width": 0}, "layer": "below",
        }
    ]  # fmt: skip
    notes = [note(f"window {window_years(window)}", x=window["start"], y=1, xanchor="left", yanchor="bottom")]
    if as_of is not None:
        shapes.append(
            {
                "type": "line", "xref": "x", "yref": "paper", "x0": as_of, "x1": as_of, "y0": 0, "y1": 1,
                "line": {"color": "$faint", "width": 1, "dash": "dot"},
            }
        )  # fmt: skip
    return {"shapes": shapes, "annotations": notes}


def note(text: str, **place: Any) -> dict[str, Any]:
    """A few words in a chart, placed by the data of x and the height of the chart."""
    return {
        "text": words(text), "xref": "x", "yref": "paper", "showarrow": False,
        "font": {"size": 11, "color": "$faint"}, **place,
    }  # fmt: skip


def window_years(window: Mapping[str, str]) -> str:
    """A window in few words: whole years as "2026 to 2027", others by their days."""
    start, end = window["start"], window["end"]
    if start.endswith("-01-01") and end.endswith("-12-31"):
        return start[:4] if start[:4] == end[:4] else f"{start[:4]} to {end[:4]}"
    return f"{start} to {end}"


def band(
    x: Any, low: Sequence[float | None], high: Sequence[float | None], colour: str, **more: Any
) -> list[Trace]:
    """A band between two curves; two traces, of which the second is filled to the first."""
    shared = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", **more}
    return [{**shared, "y": low}, {**shared, "y": high, "fill": "tonexty", "fillcolor": colour}]


def line(x: Any, y: Sequence[float | None], colour: str, name: str, **more: Any) -> Trace:
    """A curve with a name."""
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "name": words(name),
        "line": {"color": colour, "width": 2}, **more,
    }  # fmt: skip
