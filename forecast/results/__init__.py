"""What comes out of a forecast: its summary, its folder, and other readings of it."""

from forecast.results.costs import cost_summary
from forecast.results.crossing_summary import Estimate, Polarity, estimate, lead_years, polarity, quantiles
from forecast.results.netcdf import open_tree, write_tree
from forecast.results.query import Answer, query
from forecast.results.reading import (
    choose_milestones,
    crossed_by,
    crossing_curves,
    default_milestone,
    write_curves,
)
from forecast.results.side_by_side import COMPARE_SCHEMA, side_by_side
from forecast.results.store import (
    RUN_FILES,
    Saved,
    as_json,
    as_netcdf,
    as_text,
    existing_run,
    run_id,
    runs_folder,
    to_json,
    write_run,
)
from forecast.results.stored import StoredRun, find_run, list_runs, read_run
from forecast.results.summary import SCHEMA, citation, month_or_never, summarise, summary_schema

__all__ = [
    "COMPARE_SCHEMA",
    "RUN_FILES",
    "SCHEMA",
    "Answer",
    "Estimate",
    "Polarity",
    "Saved",
    "StoredRun",
    "as_json",
    "as_netcdf",
    "as_text",
    "choose_milestones",
    "citation",
    "cost_summary",
    "crossed_by",
    "crossing_curves",
    "default_milestone",
    "estimate",
    "existing_run",
    "find_run",
    "lead_years",
    "list_runs",
    "month_or_never",
    "open_tree",
    "polarity",
    "quantiles",
    "query",
    "read_run",
    "run_id",
    "runs_folder",
    "side_by_side",
    "summarise",
    "summary_schema",
    "to_json",
    "write_curves",
    "write_run",
    "write_tree",
]
