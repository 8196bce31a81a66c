"""What experts said of the date: published medians as noisy measurements of the first bloc's crossing."""

import numpy as np

from forecast import Driver, hookimpl, load_evidence, load_parameters, observes_crossing
from forecast_expert_survey.importing import IMPORTER
from forecast_expert_survey.section import SECTION

MONTH = 1 / 12
ROUNDING = 0.29  # years: medians are published to the year
NODES, WEIGHTS = np.polynomial.laguerre.laggauss(12)  # for a mean over an exponential


def log_normal_density(residual, root):
    """Log density of zero-mean normal vectors, `root` their covariance's Cholesky factor; (draw,)."""
    scaled = np.linalg.solve(root, residual[..., None])[..., 0]
    log_determinant = np.sum(np.log(np.diagonal(root, axis1=-2, axis2=-1)), axis=-1)
    return -0.5 * np.sum(scaled**2, axis=-1) - log_determinant - 0.5 * residual.shape[-1] * np.log(2 * np.pi)


def fitted(table, context):
    """Forecasts that repeat no others; of each forecaster the as-of filter has left the latest."""
    return context.observations(table.filter(fitted=True))


class ExpertSurvey(Driver):
    name = "expert-survey"
    title = "What experts said of the date"
    api_version = 1
    parameters = load_parameters(__package__, driver="expert-survey")
    evidence = load_evidence(__package__, driver="expert-survey")

    @observes_crossing("forecasts", milestone="agi", prepare=fitted)
    def medians(self, x, data):
        made, median = data.columns["date"], data.columns["value"]
        definition = np.array([row.extra["definition"] for row in data.rows], dtype=str)
        said = np.log10(median - made)  # log10 of the years from the day of the forecast
        offset = sum(x[name][:, None] * (definition == name) for name in ("weaker", "stronger"))
        root = np.linalg.cholesky(self.errors(x, made, median, definition))

        def log_likelihood(first):
            years = np.maximum(first[:, None] - made, MONTH)
            return log_normal_density(said - np.log10(years) - offset, root)

        never = ~np.isfinite(x.first)  # then at some date beyond the horizon, see the README
        beyond = [x.as_of + (x.horizon - x.as_of) * 10.0 ** (x["beyond"] * node) for node in NODES]
        after = [log_likelihood(date) + np.log(weight) for date, weight in zip(beyond, WEIGHTS, strict=True)]
        by_date = log_likelihood(np.where(never, x.horizon, x.first))
        return np.where(never, np.logaddexp.reduce(after), by_date)

    def errors(self, x, made, median, definition):
        """Covariance of the medians, (draw, row, row): what is shared and so no news, and each one's own.

        Experts share an error, less so the more years lie between their forecasts; forecasts of one other
        thing share the error of its offset; what is left is each one's own, with the rounding to years.
        """
        years = np.abs(made[:, None] - made)
        shared = x["common"][:, None, None] ** 2 * np.exp(-years / x["memory"][:, None, None])
        other_thing = (definition[:, None] == definition) & (definition != "alike")
        shared = shared + x["definition_error"][:, None, None] ** 2 * other_thing
        rounding = ROUNDING / (median - made) / np.log(10.0)
        own = x["between"][:, None] ** 2 + rounding**2
        return shared + own[:, :, None] * np.eye(len(made))


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [ExpertSurvey()]


@hookimpl
def forecast_importers():
    """`forecast import forecasts FILE`: rows from a plain export."""
    return [IMPORTER]


@hookimpl
def forecast_report_sections():
    """What experts said, beside what the run says."""
    return [SECTION]
