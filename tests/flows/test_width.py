"""Full-width letters and digits read as plain ones, where that was asked for; offsets stay."""

from __future__ import annotations

from pathlib import Path

from bertwright import BertTokenizer
from bertwright.text.width import narrowed

from .conftest import Command, write_csv


def test_one_character_becomes_one_character() -> None:
    text = "１９年ＡＢｃ，。！　ｶ한"
    assert narrowed(text) == "19年ABc，。！　ｶ한"
    assert len(narrowed(text)) == len(text)


def test_a_tokenizer_folds_where_its_folder_says_so_and_offsets_are_those_of_the_text(tmp_path: Path) -> None:
    plain = BertTokenizer.from_pretrained("mini")
    folding = BertTokenizer.from_pretrained("mini", fold_width=True)
    text = "ＱＱ１２号"
    assert folding(text)["input_ids"] == plain("QQ12号")["input_ids"] != plain(text)["input_ids"]
    offsets = folding(text, return_offsets_mapping=True)["offset_mapping"]
    assert max(end for _, end in offsets) == len(text)
    folding.save_pretrained(tmp_path)
    assert BertTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == folding(text)["input_ids"]
    assert not BertTokenizer.from_pretrained("mini").fold_width


def test_what_data_hold_and_a_vocabulary_lacks_is_added_in_one_command(command: Command, tmp_path: Path) -> None:
    rows = [(f"花呗怎么还款{chr(0xFF10 + i % 10)}次", "还款" if i % 2 else "额度") for i in range(20)]
    data = write_csv(tmp_path / "data.csv", rows)
    assert "呗 (20)" in command("inspect", data).out
    out = tmp_path / "model"
    result = command("vocab", "--data", data, "--extend", "mini", "--fold-width", "--out", out)
    assert result.code == 0, result.err
    assert f"bertwright finetune {data} --model {out}" in result.out
    after = command("inspect", data, "--model", out)
    assert "unknown to the vocabulary" not in after.out
    again = command("vocab", "--data", data, "--extend", out, "--out", tmp_path / "again")
    assert "BW142" in again.err
