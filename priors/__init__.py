"""The worldviews that come with `forecast`, installed as ``forecast_priors``: TOML files, no code."""
