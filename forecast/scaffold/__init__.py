"""Write a new plugin: a complete package that installs, runs and passes its own tests untouched."""

from forecast.scaffold.names import PluginNames, names_of
from forecast.scaffold.writing import write_plugin

__all__ = ["PluginNames", "names_of", "write_plugin"]
