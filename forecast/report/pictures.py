"""Every picture of a saved run by its name: our own, and ArviZ's of the fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import ForecastError
from forecast.report import arviz_pictures as fit
from forecast.report.growth_figure import growth_figure
from forecast.report.run_pictures import draw_channels, draw_crossings, draw_worlds
from forecast.report.sensitivity_figure import sensitivity_figure
from forecast.results import StoredRun
from forecast.results.growth import GROUP as GROWTH
from forecast.results.growth import describe_growth
from forecast.results.trajectories import NotAvailable
from forecast.sensitivity import GROUPS, sensitivity


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn of a run.

    Attributes
    ----------
    name : str
        Of its file.
    title : str
        One line on what it shows.
    draw : callable
        ``draw(run, path)``; the ending says the format. Raises :class:`NotAvailable` where the run
        lacks what it shows.
    """

    name: str
    title: str
    draw: Callable[[StoredRun, Path], None]


def _of_run(draw: Callable[..., bool], what: str) -> Callable[[StoredRun, Path], None]:
    def drawn(run: StoredRun, path: Path) -> None:
        if not draw(run.tree, run.worldview, path, run.id, run.summary["prior_only"]):
            raise NotAvailable(f"the run has no {what}")

    return drawn


def _draw_growth(run: StoredRun, path: Path) -> None:
    view, prior_only = run.worldview, run.summary["prior_only"]
    titles = {bloc.name: bloc.title for bloc in view.blocs}
    found = describe_growth(run.groups(GROWTH))
    growth_figure(found, titles, path, worldview=view.name, prior_only=prior_only, run_id=run.id)


def _draw_sensitivity(run: StoredRun, path: Path) -> None:
    try:
        found = sensitivity(
            run.groups(*GROUPS), run.worldview, run=run.id, prior_only=run.summary["prior_only"]
        )
    except ForecastError as error:
        raise NotAvailable(str(error)) from error
    sensitivity_figure(found, path)


PICTURES = {
    one.name: one
    for one in (
        Picture("crossings", "when each bloc gets there", _of_run(draw_crossings, "milestone")),
        Picture("worlds", "unipolar or bipolar, and by how much", _of_run(draw_worlds, "lead to speak of")),
        Picture("growth", "what made the growth, driver by driver", _draw_growth),
        Picture("channels", "what a bloc under controls can get", _of_run(draw_channels, "channels")),
        Picture("sensitivity", "what the answer hangs on", _draw_sensitivity),
        Picture("ranks", "ranks of draws by chain, where R-hat is worst", fit.draw_ranks),
        Picture("energy", "energy of the sampler, by chain", fit.draw_energy),
        Picture("ess", "effective draws of each quantile, where there are fewest", fit.draw_ess),
        Picture("priors", "priors and posteriors, where the data said most", fit.draw_priors),
        Picture("predictive", "evidence beside what the model would have drawn", fit.draw_predictive),
        Picture("loo-pit", "whether each row is where the others put it", fit.draw_loo_pit),
        Picture("pareto-k", "how much the posterior hangs on each row", fit.draw_pareto_k),
    )
}


def draw_pictures(
    run: StoredRun,
    folder: Path,
    names: Sequence[str],
    kind: str,
    *,
    say: Callable[[str], object] = lambda _: None,
) -> tuple[list[str], dict[str, str]]:
    """Draw pictures of a run into a folder.

    Parameters
    ----------
    run : StoredRun
    folder : pathlib.Path
    names : sequence of str
        Of :data:`PICTURES`.
    kind : str
        Ending of the files.

    say : callable
        Told of each that is begun.

    Returns
    -------
    drawn : list of str
        Names of files.
    missing : dict of str to str
        Pictures that the run cannot have, to why.
    """
    drawn, missing = [], {}
    for name in names:
        path = folder / f"{name}.{kind}"
        say(f"Drawing {name}")
        try:
            PICTURES[name].draw(run, path)
        except NotAvailable as reason:
            missing[name] = str(reason).rstrip(".")
        else:
            drawn.append(path.name)
    return drawn, missing
