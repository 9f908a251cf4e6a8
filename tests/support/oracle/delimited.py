"""Delimited text: its records, the delimiter and the decimal mark that its lines show."""

from __future__ import annotations

import csv
import io
import itertools
import re

NONE = {"", "NaN", "nan", "NA", "N/A", "null", "None"}


def split(text: str, delimiter: str, *, strict: bool = False) -> list[list[str]]:
    """The records of a delimited text; of a blank line none."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))


def names_any(cells: list[str], columns: list[str]) -> bool:
    """Whether a first line is a header: a cell repeats the name of its column."""
    return any(cell.strip().lower() == name.lower() for cell, name in zip(cells, columns, strict=False))


def delimiter_of(text: str, usual: str, headless: bool) -> str:
    """The delimiter that the lines show without a doubt, else the usual one."""
    fitting = [each for each in ",;\t|" if is_rectangle(text, each)]
    if usual not in fitting:
        return fitting[0] if len(fitting) == 1 else usual
    if usual == "," and len(fitting) == 2:
        other = next(each for each in fitting if each != ",")
        records = split(text, other)[0 if headless else 1 :]
        commas = [cell for cells in records for cell in cells if "," in cell]
        if all(fraction(cell, ",") for cell in commas) and decimal_of(records, other) == ",":
            return other
    return usual


def is_rectangle(text: str, delimiter: str) -> bool:
    """Whether the delimiter gives records of one length, two or more."""
    try:
        lengths = {len(cells) for cells in split(text, delimiter, strict=True) if cells}
    except csv.Error:
        return False
    return len(lengths) == 1 and min(lengths) > 1


def decimal_of(records: list[list[str]], delimiter: str) -> str:
    """The decimal mark that the records show without a doubt, else the point."""
    cells = [cell for record in records for cell in record]
    if delimiter == "," or any(fraction(cell, ".") for cell in cells):
        return "."
    for column in itertools.zip_longest(*records, fillvalue=""):
        full = [cell for cell in column if cell not in NONE]
        if any(not fraction(cell, ",") and not re.fullmatch("-?[0-9]+,?", cell) for cell in full):
            continue
        for cell in full:
            whole, mark, below = cell.lstrip("-").partition(",")
            pair = len(whole) > 2 and len(below) > 2 and whole[0] != "0" != below[0] and cell[0] != "-"
            thousands = len(below) == 3 and 0 < len(whole) < 4 and whole[0] != "0"
            if mark and below and not (pair and below.isdecimal()) and (delimiter == ";" or not thousands):
                return ","
    return "."


def fraction(cell: str, mark: str) -> bool:
    """Whether a cell is a number with this mark and digits behind it, however it is spelled else."""
    return re.fullmatch(f"-?[0-9]*[{mark}][0-9]+([eE][-+]?[0-9]+)?", cell) is not None
