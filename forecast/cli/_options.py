"""Options that several commands share: what decides a run, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forecast.engine import Plan, Reporter
    from forecast.host import Loaded

OUT_HELP = "The folder that holds runs [default: FORECAST_RUNS, or runs]."

plugin_option = click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE.py|MODULE", help="Load this plugin as well."
)
without_option = click.option("--without", multiple=True, metavar="DRIVER", help="Leave this driver out.")

_MODEL_OPTIONS = (
    click.option(
        "--priors",
        "priors",
        multiple=True,
        metavar="FILE|NAME",
        help="A prior file or the name of a worldview; later ones override earlier ones.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override one key, such as priors.investment.growth.mu=0.2 (for all drivers: "
        "forecast priors show).",
    ),
    click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="FILE.py|MODULE",
        help="Load drivers from a file or module.",
    ),
    click.option("--without", "without", multiple=True, metavar="DRIVER", help="Leave a driver out."),
    click.option("--as-of", metavar="DATE|today", help="Use only evidence published by this day."),
)
_HORIZON = click.option("--horizon", metavar="DATE", help="Last day of the projection.")
_SEED = click.option("--seed", type=click.IntRange(min=0), help="[default: the worldview's]")

_RUN_OPTIONS = (
    *_MODEL_OPTIONS,
    click.option(
        "--window", metavar="START:END", help="The years asked about, such as 2026-01-01:2027-12-31."
    ),
    _HORIZON,
    click.option(
        "--draws", type=click.IntRange(min=10), default=1500, show_default=True, help="Draws per chain."
    ),
    click.option(
        "--tune",
        type=click.IntRange(min=10),
        default=1000,
        show_default=True,
        help="Warm-up draws per chain.",
    ),
    click.option("--chains", type=click.IntRange(min=1, max=64), default=4, show_default=True),
    click.option(
        "--cores",
        type=click.IntRange(min=1),
        help="Chains that run at a time [default: as many as there are cores].",
    ),
    _SEED,
    click.option("--sampler", type=click.Choice(["nutpie", "pymc"]), default="nutpie", show_default=True),
    click.option("--prior-only", is_flag=True, help="Draw from the priors alone, without the evidence."),
    click.option("--out", metavar="DIR", help=OUT_HELP),
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that decide a run, in the order of ``forecast run --help``."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command those of them that decide a model: it asks for no window, and samples in its own way."""
    for option in reversed((*_MODEL_OPTIONS, _HORIZON, _SEED)):
        command = option(command)
    return command


def plan_of(options: Mapping[str, Any], reporter: Reporter, loaded: Loaded | None = None) -> Plan:
    """Load what the options of :func:`run_options` name, and check that it fits.

    Parameters
    ----------
    options : mapping
        As click hands them to the command; those of :func:`model_options` are enough.
    reporter : Reporter
    loaded : Loaded, optional
        The plugins, where they have been loaded already.

    Returns
    -------
    Plan
    """
    from forecast.engine import make_plan
    from forecast.host import load_plugins
    from forecast.inference import SamplerSettings
    from forecast.worldview import load_worldview

    loaded = loaded or load_plugins(options["plugins"])
    worldview = load_worldview(
        *options["priors"],
        overrides=options["overrides"],
        as_of=options["as_of"],
        horizon=options["horizon"],
        window=options.get("window"),
        seed=options["seed"],
        disable=options["without"],
        shelf=loaded.shelf,
    )
    settings = SamplerSettings(
        **{name: options[name] for name in ("draws", "tune", "chains", "cores", "sampler") if name in options}
    )
    return make_plan(
        worldview,
        plugins=options["plugins"],
        loaded=loaded,
        settings=settings,
        prior_only=options.get("prior_only", False),
        reporter=reporter,
    )
