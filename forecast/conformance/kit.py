"""The conformance kit: every check that a driver should pass, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from forecast.conformance.calibration import calibration
from forecast.conformance.company import closure, installed_beside
from forecast.conformance.fitting import gradient, numbers_as_data
from forecast.conformance.removal import removal
from forecast.conformance.report import Check, Failed, NotApplicable, Report
from forecast.conformance.setting import SEED, Setting
from forecast.conformance.sources import priors_cited
from forecast.conformance.subject import Subject
from forecast.conformance.values import builds, dimensions, grids_agree, no_state, prior_predictive
from forecast.discovery import BrokenPlugin, describe
from forecast.driver import Driver
from forecast.errors import ForecastError
from forecast.loading import HERE
from forecast.vetting import vet

CHECKS: Mapping[str, Callable[[Subject], str]] = {
    "builds": builds,
    "priors-cited": priors_cited,
    "prior-predictive": prior_predictive,
    "dimensions": dimensions,
    "no-state": no_state,
    "grids-agree": grids_agree,
    "gradient": gradient,
    "numbers-as-data": numbers_as_data,
    "calibration": calibration,
    "removal": removal,
}
"""Each check by its code, in the order in which they are run; the docstrings say what each looks at.

A check returns what it found, raises `Failed` with what is wrong, or
`NotApplicable` with the reason.
"""

Company = Setting | Sequence[Driver] | str | None
"""The drivers that one is checked with; see :func:`check_driver`."""


def check_driver(
    driver: Driver,
    *,
    company: Company = None,
    seed: int = SEED,
    plugin: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Report:
    """Check one driver.

    Parameters
    ----------
    driver : Driver
    company : None, "all", sequence of Driver, or Setting
        The drivers that it is checked together with. By default those
        installed ones that it cannot do without: the owners of quantities that
        it reads, adds to or limits, and of what these read. ``"all"`` takes
        every installed driver, a sequence these and no others. A `Setting`
        shares what is costly between the drivers of one company.
    seed : int
        Of every draw; the same seed gives the same report. A `Setting` has its own.
    plugin : str, optional
        What the report is called; the driver's name by default.
    say : callable, optional
        Called with a few words before each check, and before something slow.

    Returns
    -------
    Report
    """
    subject = subject_of(driver, company, seed=seed, say=say)
    checks = []
    for code in CHECKS:
        if say is not None:
            say(f"{driver.name}: {code}")
        checks.append(run_check(code, subject))
    return Report(plugin or driver.name, tuple(checks))


def subject_of(
    driver: Driver,
    company: Company = None,
    *,
    seed: int = SEED,
    say: Callable[[str], None] | None = None,
) -> Subject:
    """Return what the checks of one driver are given; parameters are those of :func:`check_driver`."""
    if isinstance(company, Setting):
        setting = company
        return Subject(driver, setting, lambda: setting)
    if company is None or isinstance(company, str):
        if company not in (None, "all"):
            raise ValueError(f'company is None, "all" or a list of drivers, got {company!r}')
        beside = installed_beside([driver]) if _is_sound(driver) else []
        everyone = Setting([driver, *beside], seed=seed, say=say)
        setting = (
            everyone
            if company == "all"
            # Finding the company builds the driver: what that leaves on it must not count as its own.
            else Setting(
                closure([driver], beside) if beside else [driver], seed=seed, say=say, before=everyone.before
            )
        )
        return Subject(driver, setting, lambda: everyone)
    others = [other for other in company if other is not driver]
    setting = Setting([driver, *others], seed=seed, say=say)
    return Subject(driver, setting, lambda: setting)


def run_check(code: str, subject: Subject) -> Check:
    """Run one check.

    Parameters
    ----------
    code : str
        A key of `CHECKS`.
    subject : Subject
        From :func:`subject_of`; checks of one driver share it.

    Returns
    -------
    Check
        Whatever the driver raises becomes its detail.
    """
    try:
        if code not in ("builds", "priors-cited") and not _can_be_built(subject):
            raise NotApplicable("the model cannot be built with the driver (see the check builds)")
        return Check(code, "passed", CHECKS[code](subject))
    except NotApplicable as reason:
        return Check(code, "not applicable", str(reason))
    except Failed as problem:
        return Check(code, "failed", str(problem))
    except ForecastError as error:
        return Check(code, "failed", describe(error))
    except Exception as error:  # what a driver's term raises, PyTensor passes on as it is
        return Check(code, "failed", f"the check stopped: {describe(error)}")


def _is_sound(driver: Driver) -> bool:
    """Whether a driver has passed what it can pass alone; if not, the check ``builds`` says so."""
    try:
        vet(driver, HERE, "")
    except BrokenPlugin:
        return False
    return True


def _can_be_built(subject: Subject) -> bool:
    try:
        subject.setting.build(subject.setting.variation)
    except ForecastError:
        return False
    return True
