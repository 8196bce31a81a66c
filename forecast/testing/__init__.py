"""What a driver's own tests use: a base class that runs the conformance kit, and a small worldview.

The fixtures ``forecast_host``, ``tiny_worldview`` and ``run_cli`` come with the
pytest plugin (:mod:`forecast.testing.plugin`), which is installed with this
package.
"""

from forecast.testing.conformance import DriverConformance
from forecast.testing.worldviews import worldview_about

__all__ = ["DriverConformance", "worldview_about"]
