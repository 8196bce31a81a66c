import pytest

from forecast.host import load_host
from forecast.spec import make_spec
from forecast.worldview import load_worldview
from tests.plugins.support import prior_draws, projected


@pytest.fixture(scope="package")
def view():
    """The default worldview."""
    return load_worldview("default")


@pytest.fixture(scope="package")
def spec(view):
    """The default worldview on all built-in drivers."""
    return make_spec(view, load_host())


@pytest.fixture(scope="package")
def draws(spec, view):
    """200 prior draws of every parameter of the projection."""
    return prior_draws(spec, view, size=200)


@pytest.fixture(scope="package")
def base(spec, view, draws):
    """Those draws, projected."""
    return projected(spec, view, draws)
