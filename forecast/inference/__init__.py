"""Compile a model once, sample it often."""

from forecast.inference.sampling import Compiler, SamplerSettings, sample
from forecast.inference.structure import Structure

__all__ = ["Compiler", "SamplerSettings", "Structure", "sample"]
