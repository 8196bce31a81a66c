"""What-if answers: by weights where the draws can tell, by a refit where they cannot."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy import stats

from forecast.cli import main
from forecast.dates import end_of
from forecast.driver import provides
from forecast.engine import Reporter, run
from forecast.errors import ForecastError, InputError, PluginError
from forecast.host import load_plugins
from forecast.inference import Compiler, SamplerSettings
from forecast.report.whatif_table import print_whatif
from forecast.results import read_run
from forecast.whatif import ask
from forecast.whatif.changes import Changed
from forecast.whatif.importance import Draws, outdated, smooth
from forecast.worldview import Prior
from forecast.worldview.correlations import THRESHOLDS, Number
from tests.toys import WORLDVIEW, Line, driver, table, worldview

pytestmark = pytest.mark.slow  # 12 seconds: two compilations

MANY = SamplerSettings(draws=2000, tune=10, chains=2, cores=1, sampler="pymc")
FITTED = SamplerSettings(draws=500, tune=400, chains=2, cores=1, sampler="pymc")

# One number, `pace`, and a threshold: compute is 26 + pace t in both blocs, t years after the as-of date; so
# the share of dates before one is a probability of two normal numbers.
RAMP = """\
pace = { distribution = "Normal", mu = 0.5, sigma = 0.1, unit = "OOM/year", source = "a test" }
fixed = { value = 26, unit = "log10 FLOP", source = "a test" }
unread = { distribution = "Normal", mu = 0, sigma = 1, unit = "OOM", source = "a test" }
"""
BARE = WORLDVIEW.replace("not_yet_crossed = true\nunreachable = 0.1\n", "")


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler()


@pytest.fixture(scope="module")
def ramps() -> list[Any]:
    def rise(self, m):
        return m["fixed"] + m["pace"] * (m.after + 0.0)

    rise.__name__ = "rise"
    return [driver("ramp", RAMP, rise=provides("compute", unit="FLOP")(rise))]


@pytest.fixture(scope="module")
def prior_run(tmp_path_factory, ramps):
    folder = tmp_path_factory.mktemp("ramp")
    made = run(worldview(folder, BARE), drivers=ramps, settings=MANY, prior_only=True)
    return read_run(saved(made, folder))


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    return [Line(table(tmp_path_factory.mktemp("table")))]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, lines, compiler):
    folder = tmp_path_factory.mktemp("line")
    made = run(worldview(folder), drivers=lines, settings=FITTED, compiler=compiler)
    return read_run(saved(made, folder))


def saved(made, folder):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
            patch.setattr(f"forecast.report.{name}", lambda *_, **__: None)
        return made.save(folder)


def loaded(drivers):
    return load_plugins(entry_points=False, drivers=drivers)


class Heard(Reporter):
    """Keeps the phases that it is told of."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def phase(self, name: str) -> None:
        self.phases.append(name)


def china(found, place="milestones"):
    side = found.summary if place == "milestones" else found.summary["before"]
    return side["milestones"]["big"]["blocs"]["china"]


# By weights ------------------------------------------------------------------------------------------


def test_the_answer_by_weights_is_the_exact_one(prior_run, ramps, tmp_path):
    """P(crossed by the window's end) = P(threshold <= 26 + 1.5 pace), a normal probability."""
    years = 2028 - end_of_as_of()
    for setting, pace, level in (
        (["priors.ramp.pace.mu=0.6"], (0.6, 0.1), (27, 0.5)),
        (["thresholds.compute.mu=27.5", "thresholds.compute.sigma=0.4"], (0.5, 0.1), (27.5, 0.4)),
    ):
        found = ask(prior_run, setting, tmp_path, loaded=loaded(ramps))
        assert found.summary["method"] == "importance" and found.summary["k_hat"] < 0.7
        exact = stats.norm.cdf((26 + pace[0] * years - level[0]) / np.hypot(pace[1] * years, level[1]))
        bloc = china(found)
        given = bloc["p_before"] + bloc["p_in"]
        error = np.hypot(bloc["mcse"]["p_before"], bloc["mcse"]["p_in"])
        assert abs(given - exact) < 4 * error  # beyond four errors by chance: 1 in 16,000
        assert error < 0.02 and abs(exact - 0.32) > 0.05  # unlike what it was: the check can fail
    assert not list(tmp_path.iterdir())  # nothing is saved


def end_of_as_of() -> float:
    return end_of(date(2026, 6, 30))


def test_correlated_priors_are_weighed_by_their_joint_density(prior_run, ramps, tmp_path):
    """With a correlation of 0.8, a fast pace comes with a high threshold: dates are less spread out."""
    rho = 'correlations.hard={between=["ramp.pace","thresholds.compute"],correlation=0.8,source="a test"}'
    found = ask(prior_run, [rho], tmp_path, loaded=loaded(ramps))
    years = 2028 - end_of_as_of()
    a, b = 0.1 * years, 0.5
    exact = stats.norm.cdf((26 + 0.5 * years - 27) / np.sqrt(a**2 + b**2 - 2 * 0.8 * a * b))
    bloc = china(found)
    assert found.summary["method"] == "importance"
    assert bloc["p_before"] + bloc["p_in"] == pytest.approx(exact, abs=0.03)
    assert exact < 0.27  # and 0.32 without


def test_a_narrower_family_on_part_of_the_support_is_weighed(prior_run, ramps, tmp_path):
    whole = 'priors.ramp.pace={distribution="Uniform",lower=0.4,upper=0.6,unit="OOM/year",source="a test"}'
    found = ask(prior_run, [whole], tmp_path, loaded=loaded(ramps))
    paces = prior_run.groups("prior")["prior"]["ramp.pace"].to_numpy()
    assert found.summary["method"] == "importance"
    outside = (paces < 0.4) | (paces > 0.6)
    assert outside.any() and not found.weights[outside].any() and found.weights[~outside].all()


def test_fitted_and_weighted_answers_agree_with_the_refit(fitted, lines, compiler, tmp_path, no_pictures):
    setting = ["priors.line.growth.mu=0.58", "thresholds.compute.mu=27.2"]
    weighted = ask(fitted, setting, tmp_path, loaded=loaded(lines))
    heard = Heard()
    refit = ask(
        fitted, setting, tmp_path, refit=True, loaded=loaded(lines), compiler=compiler, progress=lambda: heard
    )
    assert weighted.summary["method"] == "importance" and refit.summary["method"] == "refit"
    assert any("Fitting" in phase for phase in heard.phases)
    one, other = china(weighted), china(refit)
    for key in ("p_in", "p_after", "p_never"):
        error = np.hypot(one["mcse"][key], other["mcse"][key])
        assert abs(one[key] - other[key]) < 4 * error
    moved = one["quantiles"]["0.5"] - china(weighted, "before")["quantiles"]["0.5"]
    assert abs(moved) > 0.05  # the setting matters
    assert other["quantiles"]["0.5"] == pytest.approx(one["quantiles"]["0.5"], abs=0.35)
    again = ask(fitted, setting, tmp_path, refit=True, loaded=loaded(lines), compiler=compiler)
    assert again.summary["refit"]["existed"] is True
    assert (
        read_run(tmp_path / again.summary["refit"]["run"]).worldview.thresholds["compute"].params["mu"]
        == 27.2
    )


@pytest.fixture(scope="module")
def few(tmp_path_factory, ramps):
    """200 draws, and a window in which none of them crosses."""
    folder = tmp_path_factory.mktemp("few")
    early = BARE.replace("start = 2026-01-01", "start = 1990-01-01").replace("2027-12-31", "1990-12-31")
    settings = dataclasses.replace(MANY, draws=100)
    made = run(worldview(folder, early), drivers=ramps, settings=settings, prior_only=True)
    return read_run(saved(made, folder))


def test_few_draws_need_a_lighter_tail_as_arviz_has_it(few, ramps, tmp_path):
    """A k-hat below 0.7, with which 4,000 draws could be relied on, is not enough for 200."""
    limit = 1 - 1 / np.log10(200)
    near = ask(few, ["priors.ramp.pace.mu=0.6"], tmp_path, loaded=loaded(ramps)).summary
    assert near["k_hat"] < near["k_limit"] < 0.6 and near["k_limit"] == pytest.approx(limit)
    assert f"is not above {limit:.3g}, the most for 200 draws" in near["why"][0]
    with pytest.raises(ForecastError, match=r"k-hat is 0\.6\d+, above 0\.565, the most for 200 draws"):
        ask(few, ["priors.ramp.pace.mu=0.7"], tmp_path, refit=False, loaded=loaded(ramps))


def test_a_change_that_no_draw_shows_has_the_error_of_fewer_than_one_draw(few, ramps, tmp_path, capsys):
    """No draw crosses in 1990 before or after: 200 draws cannot say more than that it is rare."""
    for setting in ("thresholds.compute.mu=27.1", "window.end=1991-06-30"):
        found = ask(few, [setting], tmp_path, loaded=loaded(ramps)).summary
        change, bloc = found["change"]["big"]["china"], found["milestones"]["big"]["blocs"]["china"]
        assert bloc["p_in"] == change["p_in"] == 0
        assert (
            change["p_in_mcse"] == pytest.approx(bloc["mcse"]["p_in"], rel=1e-6) and bloc["mcse"]["p_in"] > 0
        )
        print_whatif(found)
        assert "0.000 ±0.004" in capsys.readouterr().out
    found = ask(few, ["lead.within_years=2"], tmp_path, loaded=loaded(ramps)).summary
    assert found["change"]["big"]["china"]["p_in_mcse"] == 0  # by definition, whatever the draws
    print_whatif(found)
    assert "no change" in capsys.readouterr().out


def test_the_error_of_a_change_is_that_of_the_same_draws(prior_run, ramps, tmp_path):
    """A small change is known far better than either probability."""
    found = ask(prior_run, ["priors.ramp.pace.mu=0.51"], tmp_path, loaded=loaded(ramps))
    change = found.summary["change"]["big"]["china"]
    bloc = china(found)
    assert 0 < change["p_in_mcse"] < bloc["mcse"]["p_in"] / 3
    assert change["p_in"] == pytest.approx(bloc["p_in"] - china(found, "before")["p_in"])


# By reading again ------------------------------------------------------------------------------------


def test_another_window_lead_or_nearer_horizon_needs_no_weights_and_no_drivers(prior_run, tmp_path):
    """No plugins are given, and this run's driver is installed nowhere."""
    found = ask(
        prior_run,
        ["window.end=2029-12-31", "lead.within_years=2", "horizon=2030-12-31"],
        tmp_path,
    )
    assert found.summary["method"] == "importance" and found.summary["k_hat"] is None
    assert found.weights is None and found.summary["effective_draws"] is None
    assert found.summary["milestones"]["big"]["lead"]["within_years"] == 2
    dates = prior_run.crossings["big"].to_numpy()[..., 1]
    assert china(found)["p_never"] == pytest.approx(np.mean(dates > 2031))
    assert china(found)["p_in"] == pytest.approx(np.mean((dates >= 2026) & (dates < 2030)))
    assert any("window differs" in note for note in found.summary["notes"])


# By a refit ------------------------------------------------------------------------------------------


def test_a_prior_where_the_run_has_no_draws_is_fitted_again_by_itself(
    fitted, lines, compiler, tmp_path, no_pictures
):
    setting = ["priors.line.growth.mu=1.4"]
    found = ask(fitted, setting, tmp_path, loaded=loaded(lines), compiler=compiler)
    assert found.summary["method"] == "refit"
    assert found.summary["k_hat"] is None or found.summary["k_hat"] > 0.7
    assert found.summary["refit"]["path"] == str(tmp_path / found.summary["refit"]["run"])
    assert (
        china(found)
        == read_run(tmp_path / found.summary["refit"]["run"]).summary["milestones"]["big"]["blocs"]["china"]
    )
    with pytest.raises(ForecastError, match="cannot tell.*--no-refit"):
        ask(fitted, setting, tmp_path, refit=False, loaded=loaded(lines))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("as_of=2025-06-30", "which evidence is known"),
        ("horizon=2040-12-31", "looks no further than 2032-12-31"),
        ("milestones.big.unreachable=0.2", "what counts as a crossing"),
        ("priors.ramp.fixed.value=25", "part of every trajectory"),
        ("thresholds.compute={value=27, unit='log10 FLOP', source='a test'}", "exactly the value"),
        (
            "priors.ramp.pace={distribution='LogNormal', mu=-1, sigma=0.1, unit='OOM/year', source='a test'}",
            "",
        ),
        ("seed=12", "other draws"),
    ],
)
def test_what_weights_cannot_answer_says_why(prior_run, ramps, tmp_path, setting, words):
    if not words:  # a narrower support is no reason: positive numbers alone
        assert ask(prior_run, [setting], tmp_path, loaded=loaded(ramps)).summary["refit"] is None
        return
    with pytest.raises(ForecastError, match=words):
        ask(prior_run, [setting], tmp_path, refit=False, loaded=loaded(ramps))


def test_a_wider_support_has_values_of_which_there_are_no_draws(fitted, lines, tmp_path):
    wider = "priors.line.scatter={distribution='Normal', mu=0.3, sigma=0.1, unit='dex', source='a test'}"
    with pytest.raises(ForecastError, match="of which the run has no draws"):
        ask(fitted, [wider], tmp_path, refit=False, loaded=loaded(lines))


# Weights ---------------------------------------------------------------------------------------------


def test_only_accepted_draws_have_weights_and_k_hat_is_theirs():
    rng = np.random.default_rng(5)
    ratios, accepted = 0.5 * rng.normal(size=(2, 500)), rng.random((2, 500)) < 0.8
    wild = np.where(accepted, ratios, 50 * np.abs(ratios))  # of draws that do not count
    found, same = smooth(wild, accepted), smooth(ratios, accepted)
    assert found.weights.sum() == pytest.approx(1) and not found.weights[~accepted].any()
    assert found.k_hat == same.k_hat and found.k_hat < 0.7


def test_k_hat_tells_a_tail_that_is_too_heavy():
    draws = np.random.default_rng(6).normal(size=(4, 1000))
    everything = np.ones_like(draws, dtype=bool)
    near = smooth(stats.norm.logpdf(draws, 0.5) - stats.norm.logpdf(draws), everything)
    far = smooth(stats.norm.logpdf(draws, 0, 3) - stats.norm.logpdf(draws), everything)
    assert near.k_hat < 0.5 < 0.7 < far.k_hat
    assert near.effective == pytest.approx(4000 * np.exp(-0.25), rel=0.1)


# Mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], "say what to change"),
        (["priors.ramp.pace.mu"], "must be KEY=VALUE"),
        (["thresholds.compte.mu=1"], "did you mean 'compute'"),
        (["priors.ramp.pce.mu=1"], "did you mean 'pace'"),
        (["priors.rmp.pace.mu=1"], "no driver 'rmp' .did you mean 'ramp'"),
        (["window.end=2027-12-31"], "nothing to change"),
        (["priors.ramp.pace.mu=0.5"], "nothing to change"),
        (["priors.ramp.pace.sigma=-1"], "sigma"),
        (["priors.ramp.unread.mu=1"], "nothing in this run reads it"),
    ],
)
def test_a_mistake_is_said_in_words(prior_run, ramps, tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        ask(prior_run, settings, tmp_path, loaded=loaded(ramps))


def test_a_driver_that_is_not_installed_is_named(prior_run, tmp_path):
    with pytest.raises(PluginError, match="ramp.*the run was made with it.*not installed"):
        ask(prior_run, ["priors.ramp.pace.mu=0.6"], tmp_path, loaded=loaded([]))


@pytest.mark.parametrize("kind", ["prior_run", "fitted"])
def test_a_driver_whose_prior_has_changed_since_is_not_weighed(request, kind, lines, tmp_path):
    """The ratio would be to a prior that the draws are not from."""
    stored = request.getfixturevalue(kind)
    if kind == "fitted":
        other = Line(lines[0].evidence)
        later = {"mu": 0.9, "sigma": 0.1}
        other.parameters = tuple(
            dataclasses.replace(one, general=dataclasses.replace(one.general, params=later))
            if one.name == "growth"
            else one
            for one in Line.parameters
        )
        setting = "priors.line.growth.sigma=0.2"
    else:
        rise = provides("compute", unit="FLOP")(lambda self, m: m["fixed"] + m["pace"] * m.after)
        other = driver("ramp", RAMP.replace("mu = 0.5", "mu = 0.9"), rise=rise)
        setting = "priors.ramp.pace.sigma=0.2"
    with pytest.raises(ForecastError, match="another prior of .* now"):
        ask(stored, [setting], tmp_path, loaded=loaded([other]))


def test_a_draw_that_single_precision_rounded_out_of_its_support_is_no_other_prior():
    """0.3 in single precision is above 0.3, where a uniform prior that ends there has no density."""
    view = {"lower": 0.1, "upper": 0.3}
    before = Prior("Uniform", view, "OOM")
    number = Number(THRESHOLDS, "compute")
    values = np.array([[0.1, 0.2, 0.3]], dtype=np.float32).astype(float)
    assert np.isneginf(before.logpdf(values[0])).any()
    drawn = xr.Dataset({"thresholds.compute": (("chain", "draw"), values)})
    stored = xr.Dataset({"thresholds.compute": (("chain", "draw"), np.full((1, 3), -np.log(0.2)))})
    draws = Draws(drawn, {}, {"compute": before}, ("us_allies",))
    same = Changed(number, before, dataclasses.replace(before, params={"lower": 0.15, "upper": 0.25}))
    assert outdated(draws, [same], stored, None) == []
    other = dataclasses.replace(same, before=dataclasses.replace(before, params={"lower": 0.0, "upper": 0.3}))
    assert outdated(draws, [other], stored, None) == [str(number)]


def test_a_run_without_the_draws_of_thresholds_says_so(prior_run, ramps, tmp_path, monkeypatch):
    groups = type(prior_run).groups

    def older(self, *names):
        found = groups(self, *names)
        if "prior" in found.children:
            found["prior"] = found["prior"].to_dataset().drop_vars("thresholds.compute")
        return found

    monkeypatch.setattr(type(prior_run), "groups", older)
    with pytest.raises(ForecastError, match="thresholds.compute"):
        ask(prior_run, ["thresholds.compute.mu=27.5"], tmp_path, loaded=loaded(ramps))


# On the command line ---------------------------------------------------------------------------------


def test_the_command_prints_before_and_after_and_the_json_of_the_interface(prior_run, tmp_path):
    def forecast(*more):
        return CliRunner().invoke(
            main, ["whatif", str(prior_run.path), "--set", "thresholds.compute.mu=27.5", *more]
        )

    shown = forecast("--output", str(tmp_path / "w.png"))
    assert shown.exit_code == 0, shown.output
    assert "By the run's own draws" in shown.stdout and "k-hat" in shown.stdout
    lines = [line for line in shown.stdout.splitlines() if str(tmp_path) not in line]
    assert max(len(line) for line in lines) <= 80
    assert (tmp_path / "w.png").stat().st_size > 10_000
    found = json.loads(forecast("--json").stdout)
    assert {"schema", "run", "method", "k_hat", "milestones"} <= set(found)
    assert found["schema"] == "forecast.whatif/1" and found["run"] == prior_run.id
    bloc = found["milestones"]["big"]["blocs"]["china"]
    assert sum(bloc[key] for key in ("p_before", "p_in", "p_after", "p_never")) == pytest.approx(1)
    wrong = CliRunner().invoke(main, ["whatif", str(prior_run.path), "--set", "windw.end=2030-12-31"])
    assert wrong.exit_code == 2 and "did you mean 'window'" in wrong.stderr


def test_an_answer_by_weights_imports_neither_the_engine_nor_pymc(prior_run):
    import subprocess
    import sys

    code = (
        "import sys; from forecast.cli import main\n"
        f"main(['whatif', {str(prior_run.path)!r}, '--set', 'thresholds.compute.mu=27.5', '--json'], "
        "standalone_mode=False)\n"
        "heavy = {'pymc', 'nutpie', 'numba', 'forecast.engine', 'arviz_plots'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().endswith("[]"), done.stderr
