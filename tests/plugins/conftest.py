import pytest

from forecast.host import load_host
from forecast.spec import make_spec
from forecast.worldview import load_worldview


@pytest.fixture(scope="package")
def view():
    """The default worldview."""
    return load_worldview("default")


@pytest.fixture(scope="package")
def spec(view):
    """The default worldview on all built-in drivers."""
    return make_spec(view, load_host())
