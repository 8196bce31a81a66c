"""Code on pages is run: here, by the build of the site (code cells), or by a page's own test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import forecast
from forecast.claims import read_claims
from forecast.conformance import CHECKS
from forecast.evidence import read_tables
from forecast.host import load_host
from forecast.worldview import ParameterPriors, load_worldview, resolve_priors
from tests.docs.markdown import FILES, ROOT, blocks, read

ELSEWHERE = {"docs/tutorial.md", "docs/one-file-plugin.md"}
"""Pages with tests of their own, which type and run all of it."""

PYTHON = {"README.md": 2, "docs/query.md": 1, "docs/scenarios.md": 1, "docs/reference/testing.md": 1}
PYTHON |= {"docs/sweep.md": 1}  # tests/sweep/test_sweep_page.py
TOML = {
    "README.md": 1,
    "docs/claims.md": 1,
    "docs/prior-files.md": 5,  # tests/worldview/test_prior_files_page.py
    "docs/scenarios.md": 2,  # tests/test_scenarios_doc.py
    "docs/sweep.md": 2,  # tests/sweep/test_sweep_page.py
    "docs/reference/driver.md": 1,
    "docs/reference/evidence-tables.md": 1,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, as a reader would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECAST_RUNS", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def defaults() -> list[ParameterPriors]:
    """Parameters of the shipped drivers."""
    return load_host().defaults()


def code(page: str, language: str) -> list[str]:
    return [block.text for block in blocks(page, language)]


@pytest.mark.parametrize(("language", "known"), [("python", PYTHON), ("toml", TOML)])
def test_no_page_has_code_that_nothing_runs(language: str, known: dict[str, int]) -> None:
    pages = [page for page in FILES if page not in ELSEWHERE and not page.startswith("examples/")]
    assert {page: len(found) for page in pages if (found := code(page, language))} == known


def test_the_readme_and_the_guide_work_in_python_one_after_the_other(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's code makes and saves a run, that of scenarios changes it, and that of query asks it."""
    whole, made = forecast.run, []

    def quick(view: Any, **options: Any) -> Any:
        """One run from the priors, with few draws, that stands for all."""
        if not made:
            few = forecast.SamplerSettings(draws=150, chains=2)
            made.append(whole(view.replace(horizon="2035-12-31"), **options, prior_only=True, settings=few))
        return made[0]

    monkeypatch.setattr(forecast, "run", quick, raising=False)
    for picture in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
        monkeypatch.setattr(
            f"forecast.report.{picture}", lambda *rest, **named: None
        )  # they have tests of their own
    names: dict[str, Any] = {}
    exec(code("README.md", "python")[1], names)
    assert names["view"].lead.within_years == 2
    assert [path.parent.name for path in here.glob("runs/*/summary.json")] == [names["run"].id]
    names["free"] = None
    exec(code("docs/scenarios.md", "python")[0], names)
    assert names["free"].crossings["agi"].sizes["draw"] == 150
    exec(code("docs/query.md", "python")[0], names)
    assert 0 <= names["answer"].p <= 1


def test_the_driver_of_the_readme_is_that_of_the_cookbook() -> None:
    assert code("README.md", "python")[0] == (ROOT / "docs/cookbook/strikes.py").read_text(encoding="utf-8")


def test_the_prior_file_of_the_readme_is_a_good_one(here: Path, defaults: list[ParameterPriors]) -> None:
    Path("my-view.toml").write_text(code("README.md", "toml")[0], encoding="utf-8")
    view = load_worldview("my-view.toml")
    resolved = resolve_priors(view, defaults)
    assert view.title == "My view"
    assert [prior.source for prior in resolved["investment", "growth"].entries.values()] == [
        "why I think so"
    ] * 2


def test_the_kit_is_described_check_by_check_and_its_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "docs/reference/testing.md"
    assert re.findall(r"^\| `([a-z-]+)` \|", read(page), re.M) == list(CHECKS)
    monkeypatch.syspath_prepend(ROOT / "docs/cookbook")
    names: dict[str, Any] = {}
    exec(code(page, "python")[0], names)
    assert names["TestStrikes"].driver.name == "strikes"


def test_the_claims_file_on_its_page_is_a_good_one(here: Path) -> None:
    Path("claims.toml").write_text(code("docs/claims.md", "toml")[0], encoding="utf-8")
    assert [claim.id for claim in read_claims(["claims.toml"])] == ["twice_a_year"]


def test_priors_and_tables_as_the_reference_writes_them_are_read(here: Path) -> None:
    parameters = forecast.parameters_from_text(code("docs/reference/driver.md", "toml")[0], driver="example")
    assert {one.name: (one.per_bloc, list(one.by_bloc)) for one in parameters} == {
        "scatter": (False, []),
        "lag": (True, []),
        "level": (False, ["us_allies", "china"]),
    }
    page = "docs/reference/evidence-tables.md"
    Path("tables.toml").write_text(code(page, "toml")[0], encoding="utf-8")
    Path("runs.csv").write_text(code(page, "text")[0], encoding="utf-8")
    (table,) = read_tables(here, "example").values()
    assert [row.value for row in table.rows] == [2e25]
