"""Encodings are detected by the rule, and never guessed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bertwright.errors import BertwrightError
from bertwright.text.chinese_words import read_words
from bertwright.text.files import detect_encoding, plain_suffix
from bertwright.text.vocabulary.extension import read_new_words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
@pytest.mark.parametrize("text", ["今天天气很好，我们去公园散步吧。", "混合 text 与 数字 123，还有标点！"])
def test_detected(tmp_path: Path, encoding: str, text: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(text.encode(encoding))
    assert detect_encoding(file) == encoding
    assert file.read_bytes().decode(detect_encoding(file)) == text


def test_ascii_and_empty_are_utf8(tmp_path: Path) -> None:
    for content in (b"", b"plain"):
        (tmp_path / "a.txt").write_bytes(content)
        assert detect_encoding(tmp_path / "a.txt") == "utf-8"


@pytest.mark.parametrize(
    "content",
    [
        "naïve café, déjà vu, über".encode("latin-1"),
        "今日はとても天気がいいですね。散歩しましょう。".encode("euc-jp"),
        "좋은 하루 되세요. 감사합니다.".encode("euc-kr"),
        "繁體中文的編碼是大五碼，請指明編碼。".encode("big5"),
        np.random.default_rng(0).bytes(5000),
        b"text with a \x00 byte",
    ],
    ids=["latin-1", "euc-jp", "euc-kr", "big5", "random", "nul"],
)
def test_refused_with_the_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"first line\n" + content)
    with pytest.raises(BertwrightError, match=r"BW(203|260): .*a\.txt:"):
        detect_encoding(file)


@pytest.mark.parametrize(
    ("ending", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_damaged_archives_are_refused(tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]) -> None:
    """Wherever the damage is: decompressors have several kinds of errors for it."""
    numbers = np.random.default_rng(0).integers(0, 1 << 60, 300).tolist()
    whole = compress("".join(f"text {number}\tpos\n" for number in numbers).encode())
    file = tmp_path / f"a.txt{ending}"
    for at in range(97, len(whole) - 8, 97):
        damaged = bytearray(whole)
        damaged[at : at + 2] = damaged[at] ^ 0xFF, damaged[at + 1] ^ 0x55
        file.write_bytes(damaged)
        with pytest.raises(BertwrightError, match=r"BW202: .*a\.txt\."):
            detect_encoding(file)
    file.write_bytes(whole[:-9])
    with pytest.raises(BertwrightError, match=r"BW202: .*a\.txt\."):
        detect_encoding(file)


def test_plain_suffix() -> None:
    assert [plain_suffix(Path(name)) for name in ("a.tsv", "a.TSV.gz", "a.csv.xz", "a", "b.gz")] == [
        ".tsv", ".tsv", ".csv", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize("read", [read_new_words, read_words])
def test_lists_of_words_that_are_no_text(tmp_path: Path, read: Callable[..., list[str]]) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes("\ufeffone\ntwo\n".encode())
    assert read(file) == ["one", "two"]
    file.write_bytes("\ufeffone\n".encode() + b"\xff\n")
    with pytest.raises(BertwrightError, match="BW234: .*words.txt:2"):
        read(file)
    file.write_bytes("中\n".encode("gbk"))
    with pytest.raises(BertwrightError, match="BW234"):
        read(file, "utf-8")
    with pytest.raises(BertwrightError, match="BW235"):
        read(file, "klingon")
