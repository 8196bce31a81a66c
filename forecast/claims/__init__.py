"""Somebody's claims against a saved run: files of claims, measures, and verdicts by a stated rule."""

from forecast.claims.checking import check_claims
from forecast.claims.reading import Claim, read_claims

__all__ = ["Claim", "check_claims", "read_claims"]
