"""Measurements of the default model that take minutes: speed, recovery, predictions, seeds.

``uv run --group bench python -m benchmarks --help`` lists them. They are not part of the package.
"""
