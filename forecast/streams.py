"""Random streams by name: adding a driver or a milestone changes nobody else's draws."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return the generator of a name.

    Parameters
    ----------
    seed : int
        The run's.
    *names : object
        What is drawn, such as ``"shock", "progress"``.
    """
    return np.random.default_rng([seed, *(crc32(str(name).encode()) for name in names)])
