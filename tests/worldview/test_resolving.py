"""Drivers' defaults, and a worldview's priors applied to them."""

from datetime import date

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.worldview import Key, Prior, load_worldview, read_driver_priors, resolve_priors
from tests.worldview.support import DRIVER, toy_defaults


def resolved(*files, overrides=(), defaults=None, **kwargs):
    return resolve_priors(load_worldview(*files, overrides=overrides, **kwargs), defaults or toy_defaults())


def problems_of(*files, **kwargs):
    with pytest.raises(InputError) as caught:
        resolved(*files, **kwargs)
    return caught.value.problems


def normal(mu, unit="OOM/year", more=""):
    return f'{{ distribution = "Normal", mu = {mu}, sigma = 0.1, unit = "{unit}", source = "s"{more} }}'


def test_a_drivers_file_reads_into_parameters():
    by_name = {parameter.name: parameter for parameter in toy_defaults()}
    assert list(by_name) == ["growth", "share", "life", "discount", "level", "licensed"]
    assert by_name["growth"].per_bloc and set(by_name["growth"].by_bloc) == {"china"}
    assert by_name["level"].general is None and by_name["level"].unit == "log10 USD/year"
    assert by_name["licensed"].epochs == (("early", date(2018, 1, 1)), ("late", date(2022, 10, 1)))
    assert by_name["share"].epochs == ()
    assert str(by_name["life"].origin) == "toy/priors.toml:3: life"
    assert str(by_name["level"].origin) == "toy/priors.toml:8: [by_bloc.china] level"


def test_defaults_resolve_by_shape():
    found = resolved()
    growth, share = found["toy", "growth"], found["toy", "share"]
    assert (growth.shape, share.shape) == ("bloc", "scalar")
    assert [prior.params["mu"] for prior in growth.entries.values()] == [0.35, 0.30]
    assert list(growth.entries) == [Key("us_allies"), Key("china")]
    assert list(share.entries) == [Key()]
    assert found["toy", "discount"].blocs == ("china",)
    assert found["toy", "level"].blocs == ("us_allies", "china")
    licensed = found["toy", "licensed"]
    assert licensed.shape == "epoch"
    assert list(licensed.entries) == [Key("china", "early"), Key("china", "late")]
    assert [label for label, _ in licensed.epochs] == ["early", "late"]


def test_a_general_prior_of_the_worldview_clears_the_drivers_priors_by_bloc(write):
    write("a.toml", f"[priors.toy]\ngrowth = {normal(0.5)}\n")
    growth = resolved("a.toml")["toy", "growth"]
    assert [prior.params["mu"] for prior in growth.entries.values()] == [0.5, 0.5]
    assert growth.notes == ("a.toml:2: [priors.toy] growth clears the driver's by_bloc priors of china",)


def test_a_prior_by_bloc_of_the_worldview_leaves_the_others(write):
    write("a.toml", f"[priors.toy.by_bloc.us_allies]\ngrowth = {normal(0.5)}\n")
    growth = resolved("a.toml")["toy", "growth"]
    assert [prior.params["mu"] for prior in growth.entries.values()] == [0.5, 0.30]


def test_a_general_prior_keeps_to_the_blocs_that_the_driver_names(write):
    write(
        "a.toml", f"[priors.toy]\ndiscount = {normal(0.5, 'OOM')}\nlevel = {normal(11, 'log10 USD/year')}\n"
    )
    found = resolved("a.toml")
    assert found["toy", "discount"].blocs == ("china",)
    assert found["toy", "level"].blocs == ("us_allies", "china")
    write(
        "b.toml",
        f"[priors.toy]\ndiscount = {normal(0.5, 'OOM', ', blocs = ["us_allies"]')}\n",
    )
    assert resolved("b.toml")["toy", "discount"].blocs == ("us_allies",)


def test_a_bloc_that_the_drivers_do_not_know_has_the_general_priors_only(write):
    write("a.toml", '[blocs]\nus_allies = "US"\nchina = "China"\neu = "EU"\n')
    found = resolved("a.toml")
    assert found["toy", "growth"].blocs == ("us_allies", "china", "eu")
    assert found["toy", "level"].blocs == ("us_allies", "china")
    write("b.toml", '[blocs]\neu = "EU"\nuk = "UK"\n[lead]\nleader = "eu"\nfollower = "uk"\n')
    assert resolved("b.toml")["toy", "discount"].entries == {}


def test_a_general_prior_replaces_every_epoch_and_a_labelled_one_its_own(write):
    write("a.toml", f"[priors.toy]\nlicensed = {normal(3, 'log10 H100e/year')}\n")
    assert [p.params["mu"] for p in resolved("a.toml")["toy", "licensed"].entries.values()] == [3, 3]
    write("b.toml", f"[priors.toy.by_epoch.late]\nlicensed = {normal(3, 'log10 H100e/year')}\n")
    licensed = resolved("b.toml")["toy", "licensed"]
    assert {str(k.epoch): p.params["mu"] for k, p in licensed.entries.items()} == {"early": 4.5, "late": 3}
    assert list(licensed.entries) == [Key("china", "early"), Key("china", "late")]


def test_single_keys_are_edited_in_the_drivers_priors():
    found = resolved(
        overrides=[
            "priors.toy.growth.mu=0.2",
            "priors.toy.by_bloc.china.growth.sigma=0.3",
            "priors.toy.life.value=6",
        ]
    )
    growth = found["toy", "growth"].entries
    assert growth[Key("us_allies")].params == {"mu": 0.2, "sigma": 0.15}
    assert growth[Key("china")].params == {"mu": 0.30, "sigma": 0.3}
    assert found["toy", "life"].entries[Key()].params == {"value": 6}
    assert growth[Key("us_allies")].origin.file == "--set priors.toy.growth.mu=0.2"


def test_a_key_set_on_a_parameter_without_a_general_prior_is_set_on_each_of_its_priors():
    overrides = [
        "priors.toy.level.sigma=0.1",
        "priors.toy.by_bloc.china.level.mu=9",
        "priors.toy.licensed.sigma=0.2",
    ]
    found = resolved(overrides=overrides)
    level = [prior.params for prior in found["toy", "level"].entries.values()]
    assert level == [{"mu": 11.4, "sigma": 0.1}, {"mu": 9, "sigma": 0.1}]
    assert [p.params["sigma"] for p in found["toy", "licensed"].entries.values()] == [0.2, 0.2]


def test_setting_a_parameter_of_a_drivers_quantile_prior_converts_it_first():
    share = resolved(overrides=["priors.toy.share.sigma=0.2"])["toy", "share"].entries[Key()]
    assert share.params["sigma"] == 0.2
    assert np.exp(share.params["mu"]) == pytest.approx(0.4, rel=1e-6)


def test_units_of_overrides_convert_to_the_parameters(write):
    write(
        "a.toml",
        '[priors.toy]\nshare = { value = 50, unit = "percent", source = "s" }\n'
        'life = { distribution = "LogNormal", p05 = 12, p95 = 24, unit = "month", source = "s" }\n',
    )
    found = resolved("a.toml")
    assert found["toy", "share"].entries[Key()].params == {"value": 0.5}
    assert found["toy", "life"].entries[Key()].ppf([0.05, 0.95]) == pytest.approx([1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"[priors.toyy]\nx = {normal(1)}",
            "a.toml:2: [priors.toyy] x: there is no driver 'toyy' (did you mean 'toy'?)",
        ),
        (
            f"[priors.toy]\ngrowht = {normal(1)}",
            "driver 'toy' has no parameter 'growht' (did you mean 'growth'?)",
        ),
        (f"[priors.toy.by_bloc.china]\nshare = {normal(1, 'share')}", "share is one number for all blocs"),
        (f"[priors.toy.by_bloc.china]\nlicensed = {normal(1)}", "licensed differs by epoch: write by_epoch"),
        (f"[priors.toy.by_epoch.late]\nshare = {normal(1, 'share')}", "share does not differ by epoch"),
        (
            f"[priors.toy.by_epoch.lat]\nlicensed = {normal(1)}",
            "'lat' is no epoch of licensed (did you mean 'late'?)",
        ),
        (
            f"[priors.toy]\ngrowth = {normal(1, 'log10 OOM/year')}",
            "is in 'log10 OOM/year', expected 'OOM/year': give the values, not their logs",
        ),
        (
            f"[priors.toy.by_bloc.china]\nlevel = {normal(1, 'USD/year')}",
            "is in 'USD/year', expected 'log10 USD/year': give the log10 of the values",
        ),
        (
            f"[priors.toy]\ngrowth = {normal(1, 'FLOP')}",
            "is in 'FLOP' (training compute), expected 'OOM/year'",
        ),
        (
            "[priors.toy]\nshare = { distribution='Beta', alpha=2, beta=2, unit='percent', source='s' }",
            "cannot be restated in 'share'",
        ),
        (
            f"[priors.toy]\nshare = {normal(1, 'share', ', blocs = ["china"]')}",
            "blocs has no meaning",
        ),
        (
            f"[priors.toy.by_bloc.china]\nlevel = {normal(1, 'log10 USD/year')}\n"
            f"[priors.toy.by_bloc.us_allies]\nlevel = {normal(1, 'log10 USD/year')}\n"
            '[set]\n"priors.toy.level.mu" = 3',
            "[set] priors.toy.level: nothing reads this: every bloc has a prior of its own",
        ),
        (
            '[set]\n"priors.toy.by_bloc.us_allies.discount.mu" = 3',
            "there is no such prior whose mu could be changed: give it whole; the driver has priors.toy.",
        ),
        (
            '[set]\n"priors.toy.growth.sigma" = -3',
            "a.toml:2: [set] priors.toy.growth: sigma must be positive, got -3",
        ),
        ('[set]\n"priors.toy.growth.p50" = 3', "is given by mu, sigma, not by quantiles"),
        ('[set]\n"priors.toy.life.mu" = 3', "nothing reads the key 'mu'"),
    ],
)
def test_an_override_that_fits_no_parameter_is_refused(write, text, message):
    write("a.toml", text + "\n")
    problems = problems_of("a.toml")
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith("a.toml:") for problem in problems)


def test_all_misfits_come_at_once(write):
    write("a.toml", f"[priors.toy]\nx = {normal(1)}\ny = {normal(1)}\n[priors.other]\nz = {normal(1)}\n")
    assert len(problems_of("a.toml")) == 3


def test_an_edit_that_nothing_reads_is_refused():
    both = DRIVER.replace("[by_bloc.us_allies]", "[by_bloc.us_allies]\ngrowth = " + normal(0.4))
    problems = problems_of(overrides=["priors.toy.growth.mu=0.2"], defaults=read_driver_priors(both, "toy"))
    assert "every bloc has a prior of its own" in problems[0]


def test_priors_of_a_disabled_driver_are_allowed_and_unused(write):
    write(
        "a.toml",
        f"[drivers]\ndisable = ['gone', 'toy']\n"
        f"[priors.gone]\nx = {normal(1)}\n[priors.toy]\nzz = {normal(1)}\n",
    )
    assert resolved("a.toml") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 3", "toy/priors.toml:1: x: a prior is a table"),
        ("x = { value = 3, unit = 'furlong', source = 's' }", "unknown unit 'furlong'"),
        ("x = { value = 3, unit = 'year', source = 's', per = 'china' }", 'per can only be "bloc"'),
        ("x = { value = 3, unit = 'year', source = 's', success = 0.5 }", "success has no meaning here"),
        (
            "x = { value = 3, unit = 'year', source = 's', blocs = 'china' }",
            "blocs must be a list of blocs' names",
        ),
        (
            "[by_bloc.china]\nx = { value = 3, unit = 'year', source = 's', blocs = ['china'] }",
            "no meaning inside by_bloc",
        ),
        ("[by_epoch.late]\nx = { value = 3, unit = 'year', source = 's' }", "[by_epoch] late: is no epoch"),
        (
            "[epochs]\na = 2020-01-01\nb=2021-01-01\n[by_epoch.a]\nx = { value=3, unit='year', source='s' }",
            "no prior for the epochs b",
        ),
        ("[epochs]\na = 3", "[epochs] a: must be a date"),
        ("[epochs]\na = 2020-01-01\nb = 2020-01-01", "two epochs begin on one day"),
        ("epochs = 3", "must be a table"),
        ("by_bloc = 3", "must be a table"),
        ("by_bloc.china = 3", "must be a table of parameters"),
        (
            "x = { value=3, unit='year', source='s' }\nby_bloc.china.x = { value=3, unit='USD', source='s' }",
            "is in 'USD' (money), expected 'year'",
        ),
        ("", "the file is empty"),
        ("x = ", "toy/priors.toml:1: not valid TOML"),
    ],
)
def test_a_mistake_in_a_drivers_file_names_file_line_and_key(text, message):
    with pytest.raises(InputError) as caught:
        read_driver_priors(text, "toy")
    assert any(message in problem for problem in caught.value.problems), caught.value.problems
    assert all(problem.startswith("toy/priors.toml") for problem in caught.value.problems)


def test_a_drivers_file_is_read_from_a_path(tmp_path):
    (tmp_path / "priors.toml").write_text(DRIVER)
    assert read_driver_priors(tmp_path / "priors.toml", "toy") == toy_defaults()
    with pytest.raises(InputError, match="cannot be read"):
        read_driver_priors(tmp_path / "missing.toml", "toy")


def test_every_prior_of_the_shipped_worldviews_and_drivers_resolves():
    from pathlib import Path

    from forecast.worldview import list_worldviews

    files = sorted((Path(__file__).parents[2] / "plugins").glob("*/priors.toml"))
    defaults = [p for file in files for p in read_driver_priors(file, file.parent.name.replace("_", "-"))]
    for name in list_worldviews():
        for parameter in resolve_priors(load_worldview(name), defaults).values():
            for prior in parameter.entries.values():
                assert isinstance(prior, Prior) and prior.source and prior.unit == parameter.unit
