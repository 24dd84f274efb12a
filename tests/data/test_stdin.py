"""Lines of stdin in any encoding, as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from bertwright.data.reading.stdin import lines_of_stdin
from bertwright.errors import BertwrightError

TEXT = "\ufeffa great day\r\n这家店很差 👍\n\n\u010a\u0a00 Ċ\n  end"
LINES = ["a great day", "这家店很差 👍", "", "\u010a\u0a00 Ċ", "  end"]
ENCODINGS = [f"utf-{size}{order}" for size in (16, 32) for order in ("", "-be", "-le")]


def lines(monkeypatch: pytest.MonkeyPatch, content: bytes, encoding: str | None) -> Iterator[str]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
    return lines_of_stdin(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-7", "gb18030", *ENCODINGS])
def test_lines_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    content = TEXT.encode(encoding)
    assert list(lines(monkeypatch, content, encoding)) == LINES
    assert list(lines(monkeypatch, content + "\n".encode(encoding)[-4:], encoding))[:4] == LINES[:4]
    assert list(lines(monkeypatch, "one\n".encode(encoding), encoding)) == ["one"]
    assert list(lines(monkeypatch, b"", encoding)) == []
    # A mark at the beginning of big-endian text tells its order.
    assert list(lines(monkeypatch, TEXT.encode("utf-16-be"), "utf-16")) == LINES


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["", "\nand on\n"])
def test_the_line_that_is_no_text_is_told(monkeypatch: pytest.MonkeyPatch, encoding: str, end: str) -> None:
    order = "utf-32-le" if encoding == "utf-32" else encoding
    wrong = b"\x00\xdc" if encoding == "utf-16-le" else b"\xdc\x00" if encoding == "utf-16-be" else b"\xff" * 4
    content = "一\ntwo\n".encode(encoding) + wrong + end.encode(order)
    found = lines(monkeypatch, content, encoding)
    assert [next(found), next(found)] == ["一", "two"]
    with pytest.raises(BertwrightError, match="BW131: stdin:3"):
        next(found)


def test_what_is_cut_off_and_what_has_no_mark_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, encoding, where in (
        ("a\nb\nc".encode("utf-16-le")[:-1], "utf-16-le", "stdin:3"),
        ("a\n中".encode()[:-1], "utf-8", "stdin:2"),
        ("a\nb".encode("utf-16-be"), "utf-16", "stdin:1"),
    ):
        with pytest.raises(BertwrightError, match=f"BW131: {where}"):
            list(lines(monkeypatch, content, encoding))
    with pytest.raises(BertwrightError, match="BW235"):
        lines(monkeypatch, b"", "hex")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_line_is_there_as_soon_as_it_is_written(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stream, os.fdopen(writing, "wb", buffering=0) as other:
        monkeypatch.setattr("sys.stdin", stream)
        found = lines_of_stdin(encoding)
        for line in ("one", "二", "three"):
            other.write(f"{line}\n".encode(encoding))
            assert next(found) == line


def test_text_that_is_decoded_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a\r\nb"))
    assert list(lines_of_stdin()) == ["a", "b"]


def test_stdin_stays_open_for_who_began_to_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"one\ntwo\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stream)
    found = lines_of_stdin()
    assert next(found) == "one"
    del found
    assert not stream.buffer.closed
