"""Evidence tables: what they declare, their rows, reading and checking them.

A driver's folder holds ``evidence/tables.toml`` and a CSV for each table in it.
`read_tables` reads and checks them all; an `EvidenceTable` is then filtered by
the as-of date and by bloc, and handed to the driver as numpy vectors.
"""

from forecast.evidence.listing import TableSummary, row_to_json, summarize
from forecast.evidence.reader import add_rows, parse_rows, read_tables
from forecast.evidence.schema import HEADER, WORLD, Cell, Column, TableSpec
from forecast.evidence.tables import EvidenceTable, Row

__all__ = [
    "HEADER",
    "WORLD",
    "Cell",
    "Column",
    "EvidenceTable",
    "Row",
    "TableSpec",
    "TableSummary",
    "add_rows",
    "parse_rows",
    "read_tables",
    "row_to_json",
    "summarize",
]
