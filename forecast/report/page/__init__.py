"""A run as one HTML page: self-contained, for a screen, a phone and paper."""

from forecast.report.page.build import page
from forecast.report.page.material import Brought

__all__ = ["Brought", "page"]
