"""docs/prior-files.md says what the code does: its examples are good files, and it names every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forecast.host import load_host
from forecast.worldview import FAMILIES, load_worldview, resolve_priors
from forecast.worldview.prior_tables import prior_keys
from forecast.worldview.schema import CorrelationTable, MilestoneTable, WorldviewFile, keys_of

PAGE = (Path(__file__).parents[2] / "docs" / "prior-files.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def defaults():
    """Parameters of the shipped drivers, which the examples are about."""
    return load_host().defaults()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_is_a_good_file(number, defaults, write):
    write("example.toml", EXAMPLES[number])
    view = load_worldview("example.toml")
    assert resolve_priors(view, defaults)
    assert len(view.correlations) == EXAMPLES[number].count("[correlations.")


def test_every_key_and_every_family_with_its_parameters_is_named():
    assert len(EXAMPLES) == 5
    for key in [*keys_of(WorldviewFile), *keys_of(MilestoneTable), *keys_of(CorrelationTable)]:
        assert f"`{key}`" in PAGE, key
    said = [key for key in prior_keys() if not re.fullmatch(r"p\d\d|per", key)]
    hyperparameters = {name for family in FAMILIES.values() for name in family.names}
    for key in set(said) - hyperparameters:
        assert f"`{key}`" in PAGE, key
    for family in FAMILIES.values():
        (listed,) = re.findall(rf"\b{family.name}\s\(([^)]*)\)", PAGE)
        names = [part.split(" = ")[0].split(";")[0].strip() for part in listed.split(",")]
        assert tuple(names) == family.names, family.name
