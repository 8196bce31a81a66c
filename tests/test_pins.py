"""The pins of pyproject.toml: what a release was tested with, and what is installed here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES: list[str] = PROJECT["tool"]["uv"]["constraint-dependencies"]
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
DEV: list[str] = PROJECT["dependency-groups"]["dev"]
GROUPS: list[str] = [line for group in PROJECT["dependency-groups"].values() for line in group]


def pins() -> dict[str, str]:
    """Pinned version of each package for this Python on this platform."""
    found = {}
    for line in LINES:
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate():
            (specifier,) = pin.specifier
            found[canonicalize_name(pin.name)] = specifier.version
    return found


def installed(requirements: list[str]) -> Iterator[metadata.Distribution]:
    """Distributions that the requirements need, with what those need in turn."""
    pending = [(Requirement(line), "") for line in requirements]
    seen = set()
    while pending:
        requirement, extra = pending.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        extras = tuple(sorted(requirement.extras)) or ("",)
        key = (canonicalize_name(requirement.name), extras)
        if key in seen:
            continue
        seen.add(key)
        distribution = metadata.distribution(requirement.name)
        yield distribution
        pending += [
            (Requirement(line), extra) for line in distribution.requires or () for extra in ("", *extras)
        ]


def test_every_pin_is_one_exact_version_and_no_address():
    for line in LINES:
        pin = Requirement(line)
        assert pin.url is None and "/" not in line and "@" not in line, line
        assert [s.operator for s in pin.specifier] == ["=="], line


def test_every_package_that_running_and_any_group_name_is_pinned():
    names = {canonicalize_name(Requirement(line).name) for line in [*RUNTIME, *GROUPS]}
    assert names <= set(pins())


def test_every_pin_lies_within_the_bounds_that_we_state():
    pinned = pins()
    for line in [*RUNTIME, *GROUPS]:
        requirement = Requirement(line)
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{line}: pinned {version}"


def test_what_the_engine_leans_on_is_capped_below_the_next_minor_version():
    capped = {Requirement(line).name for line in RUNTIME if "<" in line}
    assert capped >= {"arviz", "nutpie", "pymc", "pytensor"}


def test_what_is_installed_is_what_is_pinned():
    try:
        metadata.distribution("agi-forecast")
    except metadata.PackageNotFoundError:
        pytest.skip("agi-forecast is not installed here, so uv did not make this environment")
    pinned = pins()
    differing = {
        f"{d.name} {d.version} is installed, pinned is {pinned.get(canonicalize_name(d.name))}"
        for d in installed([*RUNTIME, *DEV])
        if pinned.get(canonicalize_name(d.name)) != d.version
    }
    assert not differing, "; ".join(sorted(differing))
