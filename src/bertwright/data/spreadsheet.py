"""CSV files that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # spreadsheets fold double width
_PASSED_OVER = " \u00a0\u3000\u200b\ufeff"  # what spreadsheets cut off in front


def spreadsheet_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV with a byte-order mark; a cell that a spreadsheet would run as a formula gets an apostrophe in front."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return BYTE_ORDER_MARK + table.getvalue()


def harmless(cell: str) -> str:
    """`cell`, with an apostrophe in front if it starts like a formula; plain numbers stay numbers."""
    if not cell.lstrip(_PASSED_OVER).startswith(_STARTS_A_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell
