"""A small evidence folder on disk, and changes to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.evidence import EvidenceTable, read_tables

RUNS = """
[runs]
title = "Runs"
description = "Training runs."
units = ["FLOP"]
default_error = 0.15
default_error_source = "a guess"
"""

ROW = {
    "bloc": "us_allies",
    "name": "GPT-9",
    "date": "2024-06-01",
    "value": "4e26",
    "unit": "FLOP",
    "low": "2e26",
    "high": "8e26",
    "level": "0.9",
    "published": "2024-07-01",
    "vintage": "",
    "source": "Model card",
    "url": "https://example.org/card",
    "note": "",
}


def csv_text(*rows: dict[str, str], header: tuple[str, ...] | None = None) -> str:
    """The text of a CSV; the header is the first row's columns unless given."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = header or tuple(rows[0])
    writer.writerow(header)
    for row in rows:
        writer.writerow([row.get(column, "") for column in header])
    return out.getvalue()


@dataclass
class Folder:
    """An evidence folder that a test fills."""

    path: Path

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def declare(self, extra: str = "", base: str = RUNS) -> Folder:
        self.write("tables.toml", base + extra)
        return self

    def rows(self, *changes: dict[str, str], name: str = "runs") -> Folder:
        """Write one CSV: each row is the good row with changes, named apart."""
        rows = [{**ROW, "name": f"GPT-{number}"} | change for number, change in enumerate(changes or ({},))]
        typed = [column for row in rows for column in row if column not in ROW]
        self.write(f"{name}.csv", csv_text(*rows, header=(*ROW, *dict.fromkeys(typed))))
        return self

    def read(self, blocs: Collection[str] | None = None) -> EvidenceTable:
        return read_tables(self.path, "compute-growth", blocs=blocs)["runs"]

    def problems(self, blocs: Collection[str] | None = None) -> list[str]:
        """What reading complains about, without the folder's path."""
        with pytest.raises(InputError) as caught:
            self.read(blocs)
        return [problem.replace(f"{self.path}/", "") for problem in caught.value.problems]
