"""Texts that lost something, or that are none, are told with their places."""

from __future__ import annotations

import pytest

from bertwright.data.inspection.ledger import examine
from bertwright.tasks.classification import Classification
from bertwright.wording import visible


@pytest.mark.parametrize(
    ("kind", "text", "share"),
    [
        ("damaged", "a \ufffd\ufffd film", 0.1),
        ("damaged", "???????好", 0.1),
        ("damaged", "一部锟斤拷电影", 0.1),
        ("damaged", "今天很好".encode().decode("latin-1"), 0.1),
        ("escaped", "a good one\\nAnd more", 0.1),
        ("escaped", "\\u4f60\\u597d", 0.1),
        ("absent", "#NAME?", 0.1),
        ("absent", "nan", 0.1),
        ("textless", "https://example.org/a", 0.6),
        ("textless", "2024-01-02", 0.6),
        ("textless", "img/0001.jpg", 0.6),
    ],
)
def test_what_is_no_text_or_lost_a_part_is_told(kind: str, text: str, share: float) -> None:
    rows = [(text if at < 40 * share else f"C:\\temp is a folder, why? {at}", "xy"[at % 2]) for at in range(40)]
    found = {one.kind: one for one in examine(Classification.read(rows, labelled=True)).findings}
    assert f"'{visible(text)}'" in found[kind].message
    assert len(found[kind].places) == 40 * share
    assert len({"damaged", "escaped", "absent", "textless"} & found.keys()) == 1
