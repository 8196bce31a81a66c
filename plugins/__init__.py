"""The drivers that come with `forecast`, installed as ``forecast_plugins``."""
