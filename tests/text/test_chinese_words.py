"""Chinese words from the segmenter and from a person's list."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertwright.errors import BertwrightError
from bertwright.text.chinese_words import chinese_segmenter, read_words


def test_longest_match() -> None:
    segmenter = chinese_segmenter(["北京", "北京大学", "大学生"], packaged=False)
    assert segmenter.cut("北京大学生活") == ["北京大学", "生", "活"]
    assert segmenter.cut("我在北京") == ["我", "在", "北京"]
    assert "3 words" in segmenter.name


@given(
    st.text(alphabet="北京大学生活我在", max_size=12), st.lists(st.text(alphabet="北京大学生", min_size=1, max_size=4))
)
def test_words_end_to_end_are_the_run(run: str, words: list[str]) -> None:
    assert "".join(chinese_segmenter(words, packaged=False).cut(run)) == run


def test_the_packaged_segmenter_and_words_of_ones_own() -> None:
    pytest.importorskip("rjieba")
    plain = chinese_segmenter()
    assert plain.cut("我们在北京大学学习") == ["我们", "在", "北京大学", "学习"]
    assert plain.name.startswith("rjieba ")
    made_up = "蓝花楹树"
    assert made_up not in plain.cut(f"门前有{made_up}下")
    assert made_up in chinese_segmenter([made_up]).cut(f"门前有{made_up}下")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    with pytest.raises(BertwrightError) as caught:
        chinese_segmenter()
    assert caught.value.code == "BW128"


def test_a_dictionary_file(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# mine\n北京大学 100 nt\n\n大学生\n北京大学\n", encoding="utf-8")
    assert read_words(file) == ["北京大学", "大学生"]
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        read_words(file)
    assert caught.value.code == "BW290"
