"""Whatever is in the files, reading either works or says what is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.evidence import HEADER, read_tables
from tests.evidence.support import ROW, RUNS, csv_text

DECLARED = RUNS + '[runs.columns]\nkind = ["actual", "forecast", ""]\nrank = "integer?"\nopen = "boolean?"\n'
# The same examples every time, on machines of any speed.
STEADY = settings(derandomize=True, deadline=None)
COLUMNS = (*HEADER, "kind", "rank", "open")
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        sorted({*ROW.values(), "nan", "-inf", "1e400", "0", "-1", "9999-12-31", "2024-01-01", '"', ","})
    ),
    st.floats().map(str),
    st.dates().map(str),
)


def read_or_complain(declared: bytes, table: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tables.toml").write_bytes(declared)
        Path(folder, "runs.csv").write_bytes(table)
        try:
            evidence = read_tables(folder, "toy", blocs=("us_allies", "china"))["runs"]
        except InputError as error:
            assert error.problems and all(problem.strip() for problem in error.problems)
        else:
            assert evidence.errors().min() > 0
            assert (evidence.column("value") > 0).all() and evidence.dates.shape == (len(evidence),)


@STEADY
@given(st.binary(max_size=300))
def test_random_bytes_for_a_csv(content: bytes) -> None:
    read_or_complain(DECLARED.encode(), content)


@STEADY
@given(st.text(max_size=300))
def test_random_text_below_a_good_header(content: str) -> None:
    head = ",".join(COLUMNS) + "\n"
    read_or_complain(DECLARED.encode(), (head + content).encode("utf-8", "surrogatepass"))


@STEADY
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=4), min_size=1, max_size=4))
def test_rows_with_some_cells_replaced(changes: list[dict[str, str]]) -> None:
    text = csv_text(*(ROW | change for change in changes), header=COLUMNS)
    read_or_complain(DECLARED.encode(), text.encode("utf-8", "surrogatepass"))


@STEADY
@given(st.binary(max_size=200))
def test_random_bytes_for_a_declaration(content: bytes) -> None:
    read_or_complain(content, csv_text(ROW).encode())


@STEADY
@given(st.integers(0, len(DECLARED)), st.integers(0, 8), st.text(max_size=8))
def test_a_declaration_with_a_piece_replaced(start: int, length: int, piece: str) -> None:
    text = DECLARED[:start] + piece + DECLARED[start + length :]
    read_or_complain(text.encode("utf-8", "surrogatepass"), csv_text(ROW, header=COLUMNS).encode())
