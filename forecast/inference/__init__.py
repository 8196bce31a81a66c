"""Compile a model once, sample it often."""

from forecast.inference.sampling import Compiler, SamplerSettings, Sampling, begin, sample
from forecast.inference.structure import Structure

__all__ = ["Compiler", "SamplerSettings", "Sampling", "Structure", "begin", "sample"]
