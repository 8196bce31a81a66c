"""The base class with which a driver's repository runs the conformance kit under pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from forecast.conformance.subject import Subject
    from forecast.driver import Driver


class DriverConformance:
    """Tests that every driver should pass, one a check.

    A subclass says which driver it is about::

        from forecast.testing import DriverConformance

        class TestMyDriver(DriverConformance):
            driver = MyDriver()

    A check that does not apply to the driver is skipped, with the reason.

    Attributes
    ----------
    driver : Driver
        An instance.
    company : None, "all" or sequence of Driver
        The drivers that it is checked together with; by default those
        installed ones that it cannot do without. See
        :func:`forecast.conformance.check_driver`.
    """

    driver: ClassVar[Driver]
    company: ClassVar[Any] = None
    _subjects: ClassVar[dict[type, Subject]] = {}

    def test_it_builds(self) -> None:
        """The driver is sound by itself, and a model of it can be built."""
        self._check("builds")

    def test_priors_are_cited_and_have_units(self) -> None:
        """Every number says where it comes from, or why it is held."""
        self._check("priors-cited")

    def test_the_prior_predictive_is_finite_and_on_the_right_scale(self) -> None:
        """Quantities are finite before any fit, and rows lie where they may."""
        self._check("prior-predictive")

    def test_dims_are_right_for_1_2_and_5_blocs(self) -> None:
        """Trajectories are (bloc, time) whatever the number of blocs."""
        self._check("dimensions")

    def test_no_state_leaks_between_builds(self) -> None:
        """A build leaves nothing behind for the next."""
        self._check("no-state")

    def test_history_and_future_grids_agree_on_the_overlap(self) -> None:
        """Fit and projection see the same past."""
        self._check("grids-agree")

    def test_the_gradient_is_finite_at_100_prior_draws(self) -> None:
        """The sampler can go everywhere that the priors allow."""
        self._check("gradient")

    def test_numbers_are_data_so_that_nothing_is_recompiled(self) -> None:
        """Other priors, dates and rows compile nothing."""
        self._check("numbers-as-data")

    def test_ranks_of_simulation_based_calibration_are_uniform(self) -> None:
        """Posteriors are right over data that the model itself gives."""
        self._check("calibration")

    def test_removal_leaves_the_terms_of_others_unchanged(self) -> None:
        """What does not need the driver is the same without it."""
        self._check("removal")

    def _check(self, code: str) -> None:
        __tracebackhide__ = True
        import pytest

        from forecast.conformance import run_check

        outcome = run_check(code, self._subject())
        if outcome.state == "failed":
            pytest.fail(f"{self.driver.name}, {code}: {outcome.detail}", pytrace=False)
        if outcome.state == "not applicable":
            pytest.skip(outcome.detail)

    @classmethod
    def _subject(cls) -> Subject:
        """What all tests of a class share, made at the first."""
        __tracebackhide__ = True
        import pytest

        from forecast.conformance import subject_of
        from forecast.driver import Driver

        if cls not in DriverConformance._subjects:
            if not isinstance(getattr(cls, "driver", None), Driver):
                pytest.fail(f"{cls.__name__} needs a line `driver = MyDriver()`: an instance", pytrace=False)
            DriverConformance._subjects[cls] = subject_of(cls.driver, cls.company)
        return DriverConformance._subjects[cls]
