"""ArviZ's pictures of a fit, in our colours, with units, and a caption on how to read them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from forecast.diagnostics.numbers import Numbers
from forecast.diagnostics.tables import Table, tables_of
from forecast.report.figures import FAINT, INK, PALETTE
from forecast.report.picture_file import save_picture
from forecast.results.trajectories import NotAvailable

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.results import StoredRun

COLUMNS, MOST = 4, 12
"""Panels beside one another, and in all, where there is one a number: more than these nobody reads."""


def draw_ranks(run: StoredRun, path: Path) -> None:
    """Draw rank plots of the numbers with the largest R-hat."""
    tree, numbers = _sampled(run, "posterior", "sample_stats")
    names = _worst(numbers, -numbers.r_hat)
    with _style():
        import arviz as az

        collection = az.plot_rank(
            _chosen(tree, numbers, names),
            backend="matplotlib",
            **_size(len(names)),
        )
        _save(
            collection,
            path,
            run,
            f"Ranks of draws by chain: the {len(names)} numbers with the largest R-hat",
            "Each line is a chain: the distribution of its ranks among the draws of all chains, less the "
            "uniform. Chains that agree wander about zero; black: where one leaves the others.",
            "Säilynoja, Bürkner and Vehtari 2022, by az.plot_rank",
        )


def draw_energy(run: StoredRun, path: Path) -> None:
    """Draw the energy of the sampler and its changes."""
    tree, _ = _sampled(run, "posterior", "sample_stats")
    if "sample_stats" not in tree.children or "energy" not in tree["sample_stats"].data_vars:
        raise NotAvailable("the sampler left no energies")
    with _style():
        import arviz as az

        collection = az.plot_energy(tree, backend="matplotlib", **_size(1))
        for axes in collection.viz["figure"].item().axes:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        _save(
            collection,
            path,
            run,
            "Energy of the sampler, beside its changes from draw to draw",
            "Where the changes are much narrower than the energies themselves (E-BFMI below 0.3) the sampler "
            "walks slowly through the tails.",
            "Betancourt 2016, by az.plot_energy",
        )


def draw_ess(run: StoredRun, path: Path) -> None:
    """Draw the effective sample size of each quantile, where it is smallest."""
    tree, numbers = _sampled(run, "posterior")
    names = _worst(numbers, numbers.ess_tail)
    with _style():
        import arviz as az

        collection = az.plot_ess(
            _chosen(tree, numbers, names),
            kind="quantile",
            backend="matplotlib",
            **_size(len(names)),
        )
        _save(
            collection,
            path,
            run,
            f"Effective draws of each quantile: the {len(names)} numbers with the fewest in the tails",
            "Points below the broken line (400) are quantiles that these draws do not settle.",
            "Vehtari et al. 2021, by az.plot_ess",
        )


def draw_priors(run: StoredRun, path: Path) -> None:
    """Draw prior and posterior of the numbers that the data narrowed most."""
    tree, numbers = _sampled(run, "posterior", "prior")
    prior = Numbers.of(_as_posterior(tree, "prior"))
    if prior is None:
        raise NotAvailable("the run has no prior draws")
    known = {name: at for at, name in enumerate(prior.names)}
    left = np.array(
        [
            numbers.values[..., at].std() / prior.values[..., known[name]].std() if name in known else np.inf
            for at, name in enumerate(numbers.names[: numbers.parameters])
        ]
    )
    names = _worst(numbers, left)
    with _style():
        import arviz as az
        import xarray as xr

        both = xr.DataTree.from_dict(
            {
                "posterior": _chosen(tree, numbers, names)["posterior"].to_dataset(),
                "prior": _chosen(_as_posterior(tree, "prior"), prior, names)["posterior"].to_dataset(),
            }
        )
        collection = az.plot_prior_posterior(
            both,
            backend="matplotlib",
            **_size(len(names)),
        )
        _save(
            collection,
            path,
            run,
            f"Priors and posteriors: the {len(names)} numbers that the evidence narrowed most",
            "Wide: what was assumed. Narrow: what is left after the evidence.",
            "az.plot_prior_posterior",
        )


def draw_predictive(run: StoredRun, path: Path) -> None:
    """Draw every row of evidence beside the model's predictions of it."""
    tables = _tables(run, lambda table: table.observed is not None and table.predicted is not None)
    _draw_tables(
        run,
        path,
        tables,
        "plot_ppc_interval",
        "Evidence beside what the model would have drawn",
        "Black: the row (of a censored one its bound), in log10 of its unit unless its table is linear. Thin "
        "and thick: 94% and 50% of the model's own draws of it. Rows in the order of their table.",
        "Gelman, Meng and Stern 1996, by az.plot_ppc_interval",
        {"ci_probs": (0.5, 0.94)},
        xlabel="row",
    )


def draw_loo_pit(run: StoredRun, path: Path) -> None:
    """Draw LOO-PIT of every table."""
    tables = _tables(
        run,
        lambda table: table.log_likelihood is not None and table.observed is not None and len(table.rows) > 1,
    )
    _draw_tables(
        run,
        path,
        tables,
        "plot_loo_pit",
        "LOO-PIT: where each row lies among predictions from all the others",
        "Distribution less the uniform, which a calibrated model stays near. Below zero on the left and "
        "above on the right: predictions too wide; the other way round: too narrow; on one side: biased.",
        "Gabry et al. 2019, by az.plot_loo_pit",
        {},
        xlabel="PIT",
    )


def draw_pareto_k(run: StoredRun, path: Path) -> None:
    """Draw Pareto k of every row of evidence."""
    tables = _tables(run, lambda table: table.log_likelihood is not None)
    tree = _joined(tables)
    with _style():
        import arviz as az
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        found = [(one, az.loo(tree, var_name=one.name, pointwise=True)) for one in tables]
        height = _size(len(found))["figure_kwargs"]["figsize"][1]
        figure = Figure(figsize=(11.0, height), dpi=150, facecolor="white")
        FigureCanvasAgg(figure)
        places = figure.subplots(-(-len(found) // COLUMNS), COLUMNS, squeeze=False).ravel()
        for axes, (table, loo) in zip(places, found, strict=False):
            k = np.asarray(loo.pareto_k, dtype=float)
            high = k > loo.good_k
            rows = np.arange(k.size)
            axes.scatter(rows[~high], k[~high], s=10, color=PALETTE[0])
            axes.scatter(rows[high], k[high], s=16, color=PALETTE[1])
            axes.axhline(loo.good_k, color=FAINT, linewidth=1, linestyle="--")
            axes.set_title(table.name, fontsize=9)
            axes.set_ylabel("Pareto k")
            axes.set_xlabel("row")
        for axes in places[len(found) :]:
            axes.remove()
        _finish(
            figure,
            path,
            run,
            "Pareto k: how much the posterior hangs on each row of evidence",
            "Above the broken line (orange) what the posterior would be without the row cannot be read off "
            "these draws. `forecast diagnose` names the rows.",
            "Vehtari et al. 2024, by az.loo",
        )


def _sampled(run: StoredRun, *groups: str) -> tuple[xr.DataTree, Numbers]:
    tree = run.groups(*groups)
    numbers = Numbers.of(tree) if "posterior" in tree.children else None
    if numbers is None:
        raise NotAvailable("these are draws of the priors alone: nothing was fitted")
    return tree, numbers


def _as_posterior(tree: xr.DataTree, group: str) -> xr.DataTree:
    """The draws of another group where :class:`Numbers` looks for them."""
    import xarray as xr

    if group not in tree.children:
        return xr.DataTree()
    return xr.DataTree.from_dict({"posterior": tree[group].to_dataset()})


def _worst(numbers: Numbers, order: np.ndarray[Any, Any]) -> list[str]:
    """Names of the first few parameters in the order of a statistic."""
    places = np.argsort(order[: numbers.parameters], kind="stable")[:MOST]
    return [numbers.names[at] for at in places]


def _chosen(tree: xr.DataTree, numbers: Numbers, names: Sequence[str]) -> xr.DataTree:
    """Tree with a variable, dims chain and draw, for each of these numbers, named with its unit."""
    import xarray as xr

    units = {
        str(name): variable.attrs.get("unit", "") for name, variable in tree["posterior"].data_vars.items()
    }
    data = {}
    for name in names:
        if name not in numbers.names:
            continue
        # A tree takes a slash for a path.
        unit = units.get(name.partition("[")[0], "").replace("/", " per ")
        driver, dot, rest = name.partition(".")
        label = f"{driver}\n{rest}" if dot else name
        data[f"{label} ({unit})" if unit else label] = (
            ("chain", "draw"),
            numbers.values[..., numbers.names.index(name)],
        )
    places = {"chain": np.arange(numbers.chains), "draw": np.arange(numbers.draws)}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data, coords=places)})


def _tables(run: StoredRun, usable: Callable[[Table], bool]) -> list[Table]:
    tree = run.groups("log_likelihood", "posterior_predictive", "observed_data")
    found = [table for table in tables_of(tree) if usable(table)]
    if not found or "log_likelihood" not in tree.children:
        raise NotAvailable("no row of evidence was compared with a fit")
    return found


def _joined(tables: Sequence[Table]) -> xr.DataTree:
    """Tree of these tables, predictions cut off where the measurement was."""
    import xarray as xr

    groups: dict[str, dict[str, Any]] = {
        "log_likelihood": {},
        "posterior_predictive": {},
        "observed_data": {},
    }
    for table in tables:
        arrays = (table.log_likelihood, table.predicted, table.observed)
        for group, array in zip(groups, arrays, strict=True):
            if array is not None:
                groups[group][table.name] = array.rename(row=f"{table.name}_row")
    some = next(iter(groups["log_likelihood"].values()))
    placeholder = some.isel({some.dims[-1]: 0}, drop=True)  # ArviZ counts chains in it
    named = {name: xr.Dataset(variables) for name, variables in groups.items() if variables}
    return xr.DataTree.from_dict({"posterior": xr.Dataset({"placeholder": placeholder}), **named})


def _draw_tables(
    run: StoredRun,
    path: Path,
    tables: Sequence[Table],
    function: str,
    title: str,
    how: str,
    source: str,
    arguments: Mapping[str, Any],
    *,
    xlabel: str,
) -> None:
    with _style():
        import arviz as az

        collection = getattr(az, function)(
            _joined(tables),
            var_names=[table.name for table in tables],
            backend="matplotlib",
            **_size(len(tables)),
            **arguments,
        )
        _save(collection, path, run, title, how, source, xlabel=xlabel)


def _size(panels: int) -> dict[str, Any]:
    """Arguments of a collection of panels: a full row of them is as wide as our other pictures."""
    columns = min(COLUMNS, panels)
    rows = -(-panels // COLUMNS)
    kwargs: dict[str, Any] = {
        "figure_kwargs": {"figsize": (11.0, 1.5 + 2.0 * rows), "dpi": 150, "layout": "none"}
    }
    if panels > 1:
        kwargs |= {"cols": ["__variable__"], "col_wrap": columns}
    return kwargs


@contextmanager
def _style() -> Iterator[None]:
    from cycler import cycler

    with rc_context(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "axes.labelsize": 8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlecolor": INK,
            "axes.titlesize": 9,
            "font.size": 8,
            "xtick.color": INK,
            "xtick.labelsize": 7.5,
            "ytick.color": INK,
            "ytick.labelsize": 7.5,
        }
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of high k and of numbers that hardly vary: both are to be seen
            yield


def _save(
    collection: Any, path: Path, run: StoredRun, title: str, how: str, source: str, xlabel: str = ""
) -> None:
    figure = collection.viz["figure"].item()
    if xlabel:
        for axes in figure.axes:
            axes.set_xlabel(xlabel)
    _finish(figure, path, run, title, how, source)


def _finish(figure: Figure, path: Path, run: StoredRun, title: str, how: str, source: str) -> None:
    """Make room, name the picture, and say below how it is read and where it is from."""
    import textwrap

    width, height = 11.0, float(figure.get_size_inches()[1])
    figure.set_size_inches(width, height)
    for axes in figure.axes:
        for text in list(axes.texts):  # p-values, which lie on the titles; `forecast diagnose` has them
            text.remove()
        axes.tick_params(labelsize=7.5, colors=INK)
        axes.set_title(axes.get_title(), fontsize=8.5, color=INK)
        for text in (axes.xaxis.label, axes.yaxis.label):
            text.set_fontsize(8)
    figure.subplots_adjust(
        left=0.07, right=0.98, top=1 - 0.85 / height, bottom=1.0 / height, wspace=0.32, hspace=0.75
    )
    figure.suptitle(
        title, x=0.012, y=1 - 0.12 / height, ha="left", va="top", fontsize=13, fontweight="bold", color=INK
    )
    caption = "\n".join(textwrap.wrap(f"{how} Source of the method: {source}.", 205))
    figure.text(0.012, 0.24 / height, caption, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(0.012, 0.08 / height, f"Run {run.id}", fontsize=7.5, color=FAINT, va="bottom")
    save_picture(figure, path)
