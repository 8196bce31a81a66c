"""From sections to one HTML document: templates, scripts, and what a browser may load (nothing)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forecast.report.page.chart import BLOC_TOKENS, chance
from forecast.report.page.material import Block, Material
from forecast.report.style import PALETTE, percent
from forecast.report.terminal import compact

_ASSETS = resources.files("forecast.report.page") / "assets"

# A full stop, a comma or a bracket after an address is seldom part of it.
_ADDRESS = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])")

# Lighter in the dark, so that curves stand out from the paper.
_LIGHTENED = 0.35


def rendered(material: Material, blocks: Sequence[Block]) -> str:
    """Fill the templates.

    Parameters
    ----------
    material : Material
    blocks : sequence of Block

    Returns
    -------
    str
    """
    scripts = [_asset("plotly-basic.min.js"), _asset("page.js")]
    charts = {chart.id: chart.as_data() for block in blocks for chart in block.charts}
    template = _environment().get_template("page.html.j2")
    text = template.render(
        summary=material.summary,
        material=material,
        blocks=blocks,
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],  # noqa: S704  ours, not the user's
        style=Markup(_colours() + _asset("page.css")),
        data=embedded({"charts": charts}),
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a plugin may write what is no text


def compile_templates() -> None:
    """Compile all templates, which :func:`rendered` would do one by one, while others still compute."""
    for name in _environment().list_templates(extensions=["j2"]):
        _environment().get_template(name)


def embedded(data: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or begins another."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def link(url: object) -> str | None:
    """An address that may become a link: http and https alone, with a host; else None."""
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
        sound = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return text if sound and text.isprintable() and " " not in text else None


def linked(text: object) -> Markup:
    """Escape a text, and make links of the web addresses in it."""
    parts = _ADDRESS.split(str(text or ""))
    return Markup("").join(
        Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(part)
        if at % 2 and link(part)
        else part
        for at, part in enumerate(parts)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("forecast.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "compact": compact,
        "link": link,
        "linked": linked,
        "percent": percent,
        "chance": chance,
        "data_uri": _data_uri,
    }
    return environment


@cache
def _asset(name: str) -> str:
    text = (_ASSETS / name).read_text(encoding="utf-8")
    assert "</script" not in text.lower() and "<!--" not in text
    return text


def _policy(scripts: Sequence[str]) -> str:
    """Content-Security-Policy: no network at all, these two scripts and no other."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _colours() -> str:
    """Colours of blocs as custom properties, for light and dark."""
    palette = PALETTE[:BLOC_TOKENS]
    light = "".join(f"--bloc{index}:{colour};" for index, colour in enumerate(palette))
    dark = "".join(f"--bloc{index}:{_lighter(colour)};" for index, colour in enumerate(palette))
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
    )


def _lighter(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * _LIGHTENED):02x}" for part in parts)


def _data_uri(picture: Any) -> str:
    kind = {".png": "image/png", ".svg": "image/svg+xml"}[picture.suffix.lower()]
    return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"
