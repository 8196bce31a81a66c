"""Evidence on the date of a milestone: which draws it keeps.

A crossing lies in the future of the draw, so no sampler sees it. Draws of the
posterior given everything else are kept with a probability in proportion to
the likelihood of what was said about their crossing dates: rejection, which
leaves draws of the posterior given that as well. The bound is the largest
likelihood among the draws that agree with everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.driver import Term
from forecast.errors import PluginError
from forecast.model import Key, Observations, PrepareContext, Spec, prepared
from forecast.streams import stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CrossingDates:
    """What a driver weighs: the dates of one milestone, and its own parameters.

    Attributes
    ----------
    dates : ndarray, (draw, bloc)
        Decimal years; ``inf`` for never by the horizon. Not to be written to: copy first.
    blocs : tuple of str
        In the order of the bloc axis.
    as_of, horizon : float
        Decimal years at the end of those days.
    """

    dates: Floats
    blocs: tuple[str, ...]
    as_of: float
    horizon: float
    _own: Mapping[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        """Draws of the driver's parameter, read only: (draw,), (draw, bloc) or (draw, bloc, epoch)."""
        if name not in self._own:
            raise KeyError(f"no parameter {name!r}; it has {', '.join(self._own) or 'none'}")
        return self._own[name]

    @property
    def first(self) -> Floats:
        """When the first bloc crosses, (draw,)."""
        earliest: Floats = self.dates.min(axis=1)
        return earliest


def crossing_terms(spec: Spec, milestones: Mapping[str, object]) -> list[Term]:
    """Terms that weigh dates of the milestones that there are, and have rows to do it with."""
    return [
        term
        for term in spec.terms
        if term.kind == "crossing"
        and term.milestone in milestones
        and len(spec.evidence[term.driver, term.target])
    ]


def crossing_labels(spec: Spec, milestones: Mapping[str, object]) -> dict[str, Term]:
    """:func:`crossing_terms` by ``driver/table``, or ``driver/table/method`` where a table has several."""
    terms = crossing_terms(spec, milestones)
    found: dict[str, Term] = {}
    for term in terms:
        label = f"{term.driver}/{term.target}"
        if sum(f"{one.driver}/{one.target}" == label for one in terms) > 1:
            label = f"{label}/{term.build.__name__}"
        found[label] = term
    return found


def kept_by_evidence(
    spec: Spec,
    milestones: Mapping[str, object],
    dates: Mapping[str, Floats],
    parameters: Mapping[Key, Floats],
    candidates: NDArray[np.bool_],
    *,
    seed: int,
    horizon: float,
) -> dict[str, NDArray[np.bool_]]:
    """Decide for each term which draws its evidence keeps.

    Parameters
    ----------
    spec : Spec
    milestones : mapping of str to Milestone
    dates : mapping of str to ndarray, (draw, bloc)
        Crossing dates by milestone.
    parameters : mapping of (driver, name) to ndarray
        First axis draw.
    candidates : ndarray of bool, (draw,)
        Draws that agree with everything else; the bound is theirs.
    seed : int
    horizon : float
        Decimal year at its end.

    Returns
    -------
    dict of str to ndarray of bool, (draw,)
        By label, as :func:`crossing_labels` has them.

    Raises
    ------
    PluginError
        A term fails, or returns another shape or NaN.
    """
    kept: dict[str, NDArray[np.bool_]] = {}
    for label, term in crossing_labels(spec, milestones).items():
        own = {
            name: _read_only(values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values)
            for (driver, name), values in parameters.items()
            if driver == term.driver
        }
        x = CrossingDates(_read_only(dates[term.milestone]), spec.blocs, end_of(spec.as_of), horizon, own)
        log_likelihood = _evaluated(term, spec, x)
        bound = np.max(log_likelihood[candidates], initial=-np.inf)
        luck = stream(seed, "crossing evidence", label).random(len(log_likelihood))
        with np.errstate(divide="ignore", invalid="ignore"):
            # 1 - luck lies in (0, 1]: the likeliest draw is always kept.
            kept[label] = np.log1p(-luck) <= log_likelihood - bound
    return kept


def _read_only(values: Floats) -> Floats:
    """A view that a term cannot write to: its dates are those that the run stores."""
    view = values.view()
    view.flags.writeable = False
    return view


def weighed_rows(term: Term, spec: Spec) -> Observations:
    """Return the rows that a term weighs dates by.

    Raises
    ------
    PluginError
        Its ``prepare`` fails.
    """
    with _blamed(term, spec):
        context = PrepareContext(as_of=spec.as_of, blocs=spec.blocs)
        return prepared(term, spec.evidence[term.driver, term.target], context)


def _evaluated(term: Term, spec: Spec, x: CrossingDates) -> Floats:
    data = weighed_rows(term, spec)
    with _blamed(term, spec):
        result = np.asarray(term.build(x, data), dtype=float)
    if result.shape != x.dates.shape[:1]:
        wanted = f"it must be {x.dates.shape[:1]}, a log likelihood a draw"
        raise _fault(term, spec, f"returned an array of shape {result.shape}; {wanted}")
    if np.isnan(result).any() or (result == np.inf).any():
        share = float(np.mean(~(result < np.inf)))
        words = f"is NaN or infinite in {share:.1%} of draws; -inf is allowed, for what cannot be"
        raise _fault(term, spec, words)
    return result


@contextmanager
def _blamed(term: Term, spec: Spec) -> Iterator[None]:
    """Name the driver of a term that fails."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may even call sys.exit
        raise _fault(term, spec, f"failed: {type(error).__name__}: {error}") from error


def _fault(term: Term, spec: Spec, words: str) -> PluginError:
    where = f"{term.build.__name__} (evidence on {term.milestone})"
    return PluginError(
        f"{where} {words}", driver=term.driver, distribution=spec.distributions.get(term.driver)
    )
