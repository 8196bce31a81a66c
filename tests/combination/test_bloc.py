"""A plugin that adds a bloc, from its installation to every command that reads a run of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import forecast as library
from forecast.inference import SamplerSettings
from forecast.model import build_graph
from forecast.results import StoredRun, read_run
from forecast.spec import make_spec
from tests.combination.support import FEW, forecast, good, listed, refused, without_pictures
from tests.toys import draws_of, values

pytestmark = pytest.mark.slow

GULF = Path(__file__).parent / "gulf_states"
BLOCS = ["us_allies", "china", "gulf"]


@pytest.fixture(scope="module", autouse=True)
def installed(beside: Callable[..., None]) -> None:
    """The package is there, as after ``uv pip install``."""
    beside(GULF, "forecast-gulf")


@pytest.fixture(scope="module")
def runs(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the priors of the plugin's worldview, and one of the default beside it."""
    folder = tmp_path_factory.mktemp("runs")
    good("run", "--priors", "gulf", *FEW, "--out", str(folder))
    with without_pictures():
        good("run", *FEW, "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def gulf(runs: Path) -> StoredRun:
    return stored(runs, "gulf")


@pytest.fixture(scope="module")
def default(runs: Path) -> StoredRun:
    return stored(runs, "default")


def stored(runs: Path, name: str) -> StoredRun:
    (folder,) = runs.glob(f"*-{name}-*")
    return read_run(folder)


def of(run: StoredRun, command: str, *arguments: str) -> tuple[str, ...]:
    """What a user types to read a run."""
    return (*command.split(), run.id, *arguments, "--out", str(run.path.parent))


# The run -------------------------------------------------------------------------------------------


def test_the_run_has_three_blocs_everywhere(gulf):
    assert list(gulf.summary["milestones"]["agi"]["blocs"]) == BLOCS
    for group in ("projection", "crossings", "at_crossing"):
        assert gulf.tree[group]["bloc"].values.tolist() == BLOCS
    assert gulf.manifest["drivers"]["gulf-states"] == "forecast-gulf 0.1.0"
    assert "forecast-gulf==0.1.0" in gulf.manifest["install"]
    pictures = {path.name for path in gulf.path.glob("*.png") if path.stat().st_size > 10_000}
    assert pictures == {"crossings.png", "worlds.png", "channels.png"}


def test_unipolar_and_bipolar_count_all_three(gulf):
    when = gulf.crossings["agi"].to_numpy()[gulf.crossings["accepted"].to_numpy()]
    first, second = np.sort(when, axis=1)[:, :2].T
    with np.errstate(invalid="ignore"):
        alone = np.isfinite(first) & (second - first >= 1) & (first <= 2060)
        bipolar = np.isfinite(second) & (second - first < 1)
    lead = gulf.summary["milestones"]["agi"]["lead"]
    assert (lead["leader"], lead["follower"]) == ("us_allies", "china")
    assert lead["p_bipolar"] == pytest.approx(bipolar.mean()) and list(lead["p_unipolar"]) == BLOCS
    for place, bloc in enumerate(BLOCS):
        assert lead["p_unipolar"][bloc] == pytest.approx(np.mean(alone & (when[:, place] == first)))
    total = sum(lead["p_unipolar"].values()) + lead["p_bipolar"] + lead["p_neither"]
    assert total == pytest.approx(1.0)


def test_rows_about_the_new_bloc_are_used_and_left_alone_where_it_is_none(gulf, default):
    three, two = (run.manifest["evidence"] for run in (gulf, default))
    assert three["investment/capex"] == two["investment/capex"] + 2
    assert three["compute-growth/training_runs"] == two["compute-growth/training_runs"] + 1
    seen = gulf.tree["observed_data"]["training_runs"]
    assert "Made-up run (gulf, 2025-03-01)" in seen["training_runs_row"].values
    listing = listed("evidence", "training_runs")["data"]
    assert [row["source"] for row in listing if row["bloc"] == "gulf"] == ["Made up, for a test"]


def test_under_a_worldview_of_two_blocs_the_plugin_changes_not_a_bit(default, monkeypatch):
    assert default.manifest["drivers"]["gulf-states"]
    monkeypatch.setenv("FORECAST_PLUGINS", "")
    without = library.run("default", prior_only=True, settings=SamplerSettings(draws=30, chains=2))
    assert "gulf-states" not in without.plan.host.drivers
    crossings = without.results["crossings"].to_dataset()
    assert all(np.array_equal(crossings[name], default.crossings[name]) for name in crossings)


def test_a_third_bloc_moves_no_trend_of_the_second():
    found = []
    for name in ("gulf", "default"):
        host = library.load_host()
        spec = make_spec(library.load_worldview(name, shelf=host.shelf), host)
        graph = build_graph(spec, spec.as_of)
        found.append(values(graph, "largest_run_share", draws=draws_of(graph))["largest_run_share"])
    three, two = found
    assert np.array_equal(three[:2], two) and np.any(two[0] != two[1])
    assert np.array_equal(three[2], three[1])  # of the first bloc's difference both others have the rest


# What reads it -------------------------------------------------------------------------------------


def test_tables_and_pictures_have_the_bloc_and_say_none_rather_than_neither(gulf, default):
    words = good(*of(gulf, "runs show"))
    assert "P(unipolar: Gulf states alone for 1 year)" in words and "P(none by 2060-12-31)" in words
    assert "P(neither by 2060-12-31)" in good(*of(default, "runs show"))
    words = good(*of(gulf, "worlds", "--output", "worlds.png"))
    assert (
        "Gulf states alone" in words
        and " none " in words
        and " neither " not in words.partition("Lead of")[0]
    )
    assert Path("worlds.png").stat().st_size > 10_000


def test_claims_of_the_plugin_are_checked(gulf):
    (claim,) = listed(*of(gulf, "claims", "--claims", "gulf-claims"))["claims"]
    assert claim["id"] == "gulf_by_2035" and claim["verdict"] in ("likely", "unlikely", "open")


def test_each_bloc_has_the_channels_that_are_its_own(gulf):
    china = listed(*of(gulf, "channels"))
    assert china["bloc"] == "china"
    assert china["channels"] == ["domestic", "licensed", "smuggled", "offshore"]
    words = good(*of(gulf, "channels", "--bloc", "gulf", "--output", "gulf.png"))
    assert words.startswith("Chips that can be had: Gulf states") and "gulf-licences" in words
    assert "muggled" not in words and Path("gulf.png").stat().st_size > 10_000
    words = refused(*of(gulf, "channels", "--bloc", "us_allies"), code=2)
    assert "us_allies: has no channels of chip_access" in words


def test_a_query_and_a_comparison_speak_of_the_bloc(gulf, default):
    answer = good(*of(gulf, "query", "P(gulf before china)", "--min-draws", "20"))
    assert answer.startswith("P(gulf before china) = 0.")
    assert "there is no bloc 'gulf'" in refused(*of(default, "query", "P(gulf before china)"), code=2)
    found = listed(*of(gulf, "compare", default.id))
    assert "Only run 1 has the bloc 'gulf'." in found["notes"]
    told = {row["key"]: row["values"] for row in found["differences"]}
    assert told["priors.algorithmic-efficiency.by_bloc.gulf.lag"][1] == "it has no such bloc"


def test_a_scenario_of_the_plugin_changes_the_bloc_alone(runs):
    result = forecast("scenario", "gulf-boom", "--priors", "gulf", *FEW, "--out", str(runs), "--json")
    assert result.exit_code == 0, result.output
    shifts = json.loads(result.stdout)["scenarios"]["gulf-boom"]["blocs"]
    assert list(shifts) == BLOCS
    gulf, china = (shifts[bloc]["shift_years"]["0.5"] for bloc in ("gulf", "china"))
    assert gulf < -0.5 and china == 0.0


def test_prior_files_and_listings_know_the_plugin():
    assert "With the Gulf states" in good("priors", "list")
    words = good("priors", "show", "gulf")
    assert "licensed_growth" in words and "gulf" in words
    (entry,) = (one for one in listed("plugins") if one["distribution"] == "forecast-gulf")
    assert entry["status"] == "ok" and entry["drivers"][0]["name"] == "gulf-states"
    assert entry["hooks"] == [
        f"forecast_{hook}" for hook in ("drivers", "evidence", "worldviews", "scenarios", "claims")
    ]


def test_a_bloc_without_a_prior_that_it_needs_is_told_in_words():
    text = (GULF / "worldviews/gulf.toml").read_text()
    Path("less.toml").write_text(text.replace("stock_2018", "# stock_2018"))
    words = refused("run", "--priors", "less.toml", *FEW, code=2)
    assert (
        "[priors.compute-growth] stock_2018: bloc 'gulf' has no prior for it, and compute_stock needs one; "
        "give a general prior, or one under [priors.compute-growth.by_bloc.gulf]"
    ) in words
