"""The pictures that a run's folder has beside its crossing dates, where the run has what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forecast.errors import ForecastError
from forecast.report.channels_figure import channels_figure
from forecast.report.figures import crossings_figure
from forecast.report.worlds_figure import worlds_figure
from forecast.results.channel_flows import read_channels
from forecast.results.channels import describe_channels
from forecast.results.summary import crossings_of
from forecast.results.worlds import describe_worlds

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview


def draw_crossings(tree: xr.DataTree, worldview: Worldview, path: Path, run_id: str, _: bool) -> bool:
    """Draw ``crossings.png`` of a run with a milestone; nothing otherwise. Return whether it was drawn."""
    if not worldview.milestones:
        return False
    crossings_figure(crossings_of(tree), worldview, path, run_id=run_id)
    return True


def draw_worlds(tree: xr.DataTree, worldview: Worldview, path: Path, run_id: str, prior_only: bool) -> bool:
    """Draw ``worlds.png`` of a run whose worldview names a lead; nothing otherwise."""
    if worldview.lead is None:
        return False
    try:
        described = describe_worlds(tree, worldview, run_id=run_id, prior_only=prior_only)
    except ForecastError:  # no milestone, or one bloc: nothing to draw
        return False
    worlds_figure(crossings_of(tree), described, path, run_id=run_id)
    return True


def draw_channels(tree: xr.DataTree, worldview: Worldview, path: Path, run_id: str, prior_only: bool) -> bool:
    """Draw ``channels.png`` of a run with a sum of channels; nothing otherwise."""
    try:
        channels = read_channels(tree)
        described = describe_channels(channels, worldview, run_id=run_id, prior_only=prior_only)
    except ForecastError:  # no channels, or none of the years: nothing to draw
        return False
    channels_figure(channels, described, path, run_id=run_id)
    return True
