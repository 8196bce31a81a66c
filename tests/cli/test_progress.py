"""What a long command says while it works must not end it."""

from __future__ import annotations

import errno
import io
import sys

import pytest

from forecast.cli._progress import Progress


class Full(io.StringIO):
    """A log on a disk that is full."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_on_a_full_disk_ends_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    with Progress() as progress:
        progress.phase("Sampling")
        progress.progress(1, 2)
        progress.warn("a folder cannot be written")
