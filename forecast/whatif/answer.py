"""The answer to a what-if question: by reading again, by weights, or by a refit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecast.errors import ForecastError, InputError
from forecast.results import StoredRun
from forecast.whatif.importance import Weighed
from forecast.whatif.question import Asked, Question

if TYPE_CHECKING:
    from forecast.engine import Reporter
    from forecast.host import Loaded
    from forecast.inference import Compiler


def ask(
    stored: StoredRun,
    overrides: Sequence[str],
    folder: Path,
    *,
    refit: bool | None = None,
    loaded: Loaded | None = None,
    progress: Callable[[], AbstractContextManager[Reporter]] | None = None,
    command: Sequence[str] = (),
    compiler: Compiler | None = None,
) -> Asked:
    """Say what a saved run would say under other settings.

    Parameters
    ----------
    stored : StoredRun
    overrides : sequence of str
        ``KEY=VALUE``, as ``forecast run --set`` takes them.
    folder : pathlib.Path
        Holds runs; a refit is saved there.
    refit : bool, optional
        True makes a refit whether or not weights would do, False never makes
        one. By default one is made where the run's draws cannot tell.
    loaded : Loaded, optional
        The plugins; those that are installed, and those that the run named, by default.
    progress : callable, optional
        Called for a refit alone, before anything heavy; its context is told how far it is.
    command : sequence of str
        The command line, for the manifest of a refit.
    compiler : Compiler, optional
        For a refit.

    Returns
    -------
    Asked

    Raises
    ------
    InputError
        A key that leads nowhere, a value that cannot be, nothing that would change.
    ForecastError
        A driver of the run is not installed or has another prior now; a refit
        would be needed and is ruled out.
    """
    if not overrides:
        raise InputError("say what to change: --set KEY=VALUE, such as --set priors.investment.growth.mu=0.2")
    question = Question(stored, overrides, loaded)
    changes = question.changes
    if not changes.any:
        raise InputError(
            f"nothing to change: {', '.join(overrides)} is what {stored.id} says already; its settings are "
            f"in {stored.path / 'worldview.toml'}, and `forecast priors show` lists the drivers' priors"
        )
    why = [f"{one}" for one in changes.refit]
    weighed: Weighed | None = None
    if refit and not why:
        why = ["a refit was asked for"]
    if not why and changes.weighs:
        weighed = question.weigh()
        if not weighed.reliable:
            why = [f"{_unreliable(weighed)}: the run has too few draws where the new priors lie"]
    if not why:
        return question.read(weighed)
    if refit is False:
        raise ForecastError(
            f"The draws of {stored.id} cannot tell: {'; '.join(why)}. A refit can: leave --no-refit away."
        )
    if progress is None:
        return question.fit(why, weighed, folder, None, command, compiler)
    with progress() as reporter:
        return question.fit(why, weighed, folder, reporter, command, compiler)


def _unreliable(weighed: Weighed) -> str:
    if weighed.k_hat is None or not np.isfinite(weighed.k_hat):
        return "too few draws have any weight"
    return (
        f"k-hat is {weighed.k_hat:.3g}, above {weighed.k_limit:.3g}, the most for {weighed.counted:,} draws"
    )
