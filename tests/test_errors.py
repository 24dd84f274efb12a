"""The one error of a user's mistake: its texts in both languages, and the small functions that word them."""

from __future__ import annotations

import json
import re
import string
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bertwright.callers import at_the_command_line, for_python
from bertwright.errors import BertwrightError, catalogue, nearest
from bertwright.reasons import explained
from bertwright.wording import LANGUAGES, Phrase, language, shown


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


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_program_is_told_arguments_where_a_person_at_the_command_line_is_told_options(lang: str) -> None:
    error = BertwrightError("BW206", source="a.csv", column="x", header="a, b", nearest="")
    assert 'label="' in error.message(lang)
    assert "--" not in error.message(lang)
    with at_the_command_line():
        assert "--label-column" in error.message(lang)
    again = BertwrightError("BW502", folder="runs/first")
    assert "resume=True" in again.message(lang)
    assert "out=" in again.message(lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_to_a_program_names_an_option_outside_a_command(lang: str) -> None:
    command = re.compile(r"`[^`]*`|(bertwright [a-z]|hf download |pip install )[^;；，）`]*")
    for code, entry in catalogue().items():
        for text in (*map(for_python, entry[lang]), entry.get(f"python_{lang}", "")):
            assert not re.search(r"--[a-z]", command.sub("", text)), (code, text)


def test_what_is_said_to_programs_only_has_the_facts_of_its_code_in_both_languages() -> None:
    def facts(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    own = {code: entry for code, entry in catalogue().items() if "python_en" in entry or "python_zh" in entry}
    assert {"BW207", "BW261", "BW323", "BW581"} <= own.keys()
    for code, entry in own.items():
        known = set().union(*map(facts, entry["en"]))
        assert facts(entry["python_en"]) == facts(entry["python_zh"]) <= known, code


def test_commands_and_facts_stay_as_they_are_for_a_program() -> None:
    told = "train it: bertwright finetune T.csv --out runs/NAME; or name it: --delimiter '{sign}', --seeds 1,2,3"
    assert for_python(told) == (
        'train it: bertwright finetune T.csv --out runs/NAME; or name it: delimiter="{sign}", seeds=[1, 2, 3]'
    )


def _raised(call: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("call", "english", "chinese"),
    [
        (lambda: json.loads('{"a": }'), "Expecting value: line 1 column 7 (char 6)", "第 1 行第 7 列，即第 6 个字符："),
        (lambda: json.loads("[1, 2"), "Expecting ',' delimiter: line 1", "这里应是逗号"),
        (lambda: tomllib.loads("a = b"), "Invalid value (at line 1, column 5)", "第 1 行第 5 列：值无效"),
        (lambda: tomllib.loads("a = 'x"), 'Expected "\'" (at end of document)', "文件末尾：这里应是"),
        (lambda: tomllib.loads("a = 1 b = 2"), "Expected newline or end", "第 1 行第 7 列：这里应换行"),
        (lambda: b"\xff".decode(), "'utf-8' codec can't decode byte 0xff in position 0", "位置 0 的字节 0xff 不能按"),
        (
            lambda: Path("/none/x").read_text(),
            "[Errno 2] No such file or directory: '/none/x'",
            "'/none/x'：没有这个文件",
        ),
    ],
)
def test_reasons_of_libraries_are_told_in_the_language_of_the_reader(
    call: Callable[[], object], english: str, chinese: str
) -> None:
    error = BertwrightError("BW104", file="r.toml", reason=_raised(call))
    assert english in error.message("en")
    assert chinese in error.message("zh")


def test_reasons_of_hubs_are_told_in_chinese() -> None:
    url = "https://hub/api"
    for reason, chinese in (
        (f"Cannot reach {url}: offline mode is enabled. To disable it, please unset X.", "已设置离线模式"),
        (
            f"Client error '403 Forbidden' for url '{url}'\nFor more information",
            f"服务器对 {url} 的答复是 403 Forbidden",
        ),
        ("[Errno 111] Connection refused", "连接被拒绝（错误号 111）"),
        ("HTTPSConnectionPool(host='hub', port=443): Max retries exceeded", "连不上 hub"),
    ):
        told = explained(reason)
        assert isinstance(told, Phrase)
        assert chinese in told.within("zh")
    assert explained("nobody knows this") == "nobody knows this"
