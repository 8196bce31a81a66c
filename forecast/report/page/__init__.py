"""A run as one HTML page: self-contained, for a screen, a phone and paper."""

from forecast.report.page.build import Brought, page

__all__ = ["Brought", "page"]
