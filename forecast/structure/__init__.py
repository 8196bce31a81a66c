"""How a loaded model fits together: drivers, quantities, evidence and milestones, and what reads what."""

from forecast.structure.parts import (
    DriverPart,
    EvidencePart,
    MilestonePart,
    QuantityPart,
    Structure,
    TermPart,
    as_json,
    edges,
)
from forecast.structure.reading import structure_of

__all__ = [
    "DriverPart",
    "EvidencePart",
    "MilestonePart",
    "QuantityPart",
    "Structure",
    "TermPart",
    "as_json",
    "edges",
    "structure_of",
]
