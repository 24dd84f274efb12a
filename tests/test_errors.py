"""The one error of a user's mistake: its texts in both languages, and the small functions that word them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertwright.errors import BertwrightError, nearest
from bertwright.wording import LANGUAGES, language, shown


def test_a_message_has_its_code_and_three_parts_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BertwrightError("BW201", file="x.csv")
    assert str(error).splitlines()[0] == "error BW201: x.csv: there is no such file"
    assert [line.split(":")[0].strip() for line in str(error).splitlines()[1:]] == ["likely cause", "what to do"]
    assert "没有这个文件" in error.message("zh")
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh_CN.UTF-8")
    assert language() == "zh"
    assert str(error) == error.message("zh")


def test_a_command_in_a_message_can_be_copied() -> None:
    error = BertwrightError("BW302", folder=Path("my model"), file="vocab.txt")
    assert str(error).splitlines()[0] == "error BW302: my model: no vocab.txt in this folder"
    assert all("ls 'my model'" in error.message(lang) for lang in LANGUAGES)


def test_an_error_survives_pickling() -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(BertwrightError("BW201", file="x.csv")))
    assert (copy.code, copy.fields, copy.exit_code) == ("BW201", {"file": "x.csv"}, 2)


def test_nearest_and_shown() -> None:
    assert nearest("learing_rate", ["epochs", "learning_rate"]) == "learning_rate"
    assert nearest("zzz", ["epochs"]) == ""
    assert shown(range(10), 3) == "0, 1, 2, … (+7)"
