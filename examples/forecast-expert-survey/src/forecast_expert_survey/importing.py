"""Rows from a plain export of forecasts: question, date, median, lower, upper, and more if it is there."""

import csv
from datetime import date

from forecast import Importer, InputError

NEEDED = ("question", "date", "median", "lower", "upper")
FURTHER = {  # and what stands for a column that is not there
    "level": "0.5",  # platforms export quartiles
    "definition": "alike",
    "source": "",
    "url": "https://address-not-given.invalid",
    "note": "",
}


def year_of(text):
    """A year such as 2033, 2033.5 or 2033-07-01, as a number; a year without a part is its middle."""
    if "-" in text:
        day = date.fromisoformat(text)
        start = date(day.year, 1, 1)
        return day.year + (day - start).days / (date(day.year + 1, 1, 1) - start).days
    number = float(text)
    return number + 0.5 if number == int(number) and "." not in text else number


def read(path):
    """Rows of the table `forecasts`, one for each line of the file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file)
        missing = [name for name in NEEDED if name not in (lines.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}; needed are {', '.join(NEEDED)}")
        rows, problems = [], []
        for line in lines:
            try:
                rows.append(row_of(line, path.name))
            except (ValueError, AttributeError) as error:
                problems.append(f"{path}:{lines.line_num}: {error}")
    if problems:
        raise InputError(problems)
    return rows


def row_of(line, file):
    """One row; ValueError where a cell cannot be read."""
    made = date.fromisoformat(line["date"].strip())
    further = {name: (line.get(name) or "").strip() or blank for name, blank in FURTHER.items()}
    row = {
        "bloc": "world",
        "name": line["question"].strip(),
        "date": made,
        "published": made,
        "vintage": made,
        "value": year_of(line["median"].strip()),
        "unit": "year",
        "source": further["source"] or f"imported from {file}",
        "url": further["url"],
        "note": further["note"]
        or ("" if (line.get("url") or "").strip() else "give the address of the source"),
        "definition": further["definition"],
        "fitted": "true",
        "secondary": "false",
    }
    ends = [line[name].strip() for name in ("lower", "upper")]
    if any(ends):
        row |= {"low": year_of(ends[0]), "high": year_of(ends[1]), "level": float(further["level"])}
    return row


IMPORTER = Importer(
    name="forecasts",
    title="Forecasts of AGI from a CSV with the columns question, date, median, lower, upper.",
    driver="expert-survey",
    table="forecasts",
    read=read,
)
