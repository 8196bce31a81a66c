"""A small evidence folder on disk, with one table declared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.support import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path).declare()


@pytest.fixture
def problem_of(folder: Folder) -> Callable[..., str]:
    """The one problem of a table whose second line has these changes."""

    def problem(**change: str) -> str:
        problems = folder.rows(change).problems()
        assert len(problems) == 1, problems
        return problems[0]

    return problem
