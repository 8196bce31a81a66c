"""What all pictures have in common: colours by bloc, and how a share is written."""

from __future__ import annotations

from collections.abc import Sequence

# Okabe and Ito's palette, told apart with any common colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, FAINT, SHADE = "#333333", "#8a8a8a", "#ececec"


def bloc_colours(blocs: Sequence[str]) -> dict[str, str]:
    """Colour of each bloc, by its place in the worldview; the palette repeats after six."""
    return {bloc: PALETTE[index % len(PALETTE)] for index, bloc in enumerate(blocs)}


def percent(share: float) -> str:
    """Write a share as a percentage, without calling a rare thing impossible."""
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 < share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"
