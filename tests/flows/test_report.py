"""What a run folder tells: the files parse, and agree with each other and with the model."""

from __future__ import annotations

import csv
import json
import logging
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertwright import Predictor, finetune
from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.data.spreadsheet import harmless
from bertwright.errors import BertwrightError
from bertwright.evaluation.calibration import fit_temperature, log_probabilities
from bertwright.reports.card import Card
from bertwright.reports.markdown import place
from bertwright.reports.report import write_report
from bertwright.tasks.classification import Classification, ClassPrediction
from bertwright.tasks.judged import Bars
from bertwright.wording import Phrase

PNG = b"\x89PNG\r\n\x1a\n"

pytestmark = pytest.mark.usefixtures("painted")


@dataclass(frozen=True)
class Story:
    """What a report is written from."""

    card: Card
    examples: Sequence[Example]
    predictions: Sequence[Any]
    losses: Sequence[float] = ()


def tell(folder: Path, story: Story) -> list[Path]:
    """Write the report of a story into a folder."""
    is_pair = any(one.text_b is not None for one in story.examples)
    card = replace(story.card, folder=folder, is_pair=is_pair)
    return write_report(card, story.examples, story.predictions, story.losses)


def test_commands_of_the_card_name_a_folder_as_a_shell_and_python_read_it(
    told: tuple[Path, Story], tmp_path: Path
) -> None:
    folder = tmp_path / "it's mine"
    folder.mkdir()
    tell(folder, told[1])
    card = (folder / "README.md").read_text(encoding="utf-8")
    commands = [shlex.split(line)[:3] for line in card.splitlines() if line.startswith("bertwright ")]
    assert commands == [["bertwright", verb, folder.name] for verb in ("predict", "evaluate")]
    assert f'Predictor.load("{folder.name}")' in card
    assert f'pipeline("text-classification", "{folder.name}/best")' in card


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, train_csv: Path, dev_csv: Path
) -> tuple[Path, Story]:
    """A run folder with its report, and the story it was written from."""
    folder = tmp_path_factory.mktemp("runs") / "told"
    settings: dict[str, Any] = {"epochs": 6, "learning_rate": 3e-3, "seed": 6, "precision": "fp32"}
    run = finetune(train_csv, dev_csv, model=tiny_model, out=folder, **settings)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        metrics = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    best = run.outcome.best
    card = Card(folder, record, run.task, run.judged, metrics, best.step, {"negative": 150, "positive": 150})
    story = Story(card, run.dev, run.predictions, [0.7, float("nan"), 0.5, 0.6])
    tell(folder, story)
    return folder, story


def read_answers(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


def read_errors(folder: Path) -> list[dict[str, str]]:
    with (folder / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_are_the_models_own(told: tuple[Path, Story], dev_csv: Path) -> None:
    folder, story = told
    rows = read_answers(folder)
    assert [row["text"] for row in rows] == [example.text for example in story.examples]
    assert rows[0]["where"] == f"{dev_csv}:2"
    for row, answer in zip(rows, Predictor.load(folder)([example.text for example in story.examples])):
        values = answer.to_json()
        assert row["predicted"] == values["label"]
        assert row["scores"] == pytest.approx(values["scores"], abs=1e-5)


def test_errors_are_the_wrong_predictions_the_most_confident_first(told: tuple[Path, Story]) -> None:
    folder, _ = told
    rows, errors = read_answers(folder), read_errors(folder)
    wrong = {str(row["where"]): row for row in rows if row["gold"] != row["predicted"]}
    assert {row["where"] for row in errors} == set(wrong)
    assert errors, "a tiny model makes mistakes; otherwise this test shows nothing"
    for row in errors:
        answer = wrong[row["where"]]
        assert (row["gold"], row["predicted"]) == (answer["gold"], answer["predicted"])
        assert harmless(str(answer["text"])) == row["text"]
        assert float(row["score"]) == pytest.approx(answer["score"], abs=1e-6)
        assert float(row["gold_score"]) <= float(row["score"])
    scores = [float(row["score"]) for row in errors]
    assert scores == sorted(scores, reverse=True)
    assert (folder / "errors.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets need the mark"


def test_the_card_says_what_the_files_say(told: tuple[Path, Story]) -> None:
    pytest.importorskip("matplotlib")
    folder, _ = told
    card = (folder / "README.md").read_text(encoding="utf-8")
    rows = read_answers(folder)
    right = np.mean([row["gold"] == row["predicted"] for row in rows])
    assert re.search(rf"\| accuracy \| {right:.4f} \| 0\.\d{{4}} to [01]\.\d{{4}} \|", card)
    assert f"{len(read_errors(folder))} of {len(rows)} dev texts are answered wrongly" in card
    counts = Counter((row["gold"], row["predicted"]) for row in rows)
    line = f"| **negative** | {counts['negative', 'negative']} | {counts['negative', 'positive']} |"
    assert line in card
    for part in ("# told", "learning_rate = 0.003", "seed = 6", "bertwright predict", "transformers", "64 tokens",
                 "| negative | 150 |", "| torch | ", "ECE"):  # fmt: skip
        assert part in card, part
    for name in ("loss.png", "confusion.png", "reliability.png"):
        assert f"({name})" in card
        assert (folder / name).read_bytes().startswith(PNG)
    assert not list(folder.glob("*.tmp"))
    assert not list(folder.glob(".*.tmp"))


def test_the_card_of_a_story_without_details_is_written(told: tuple[Path, Story], tmp_path: Path) -> None:
    _, story = told
    tell(tmp_path, replace(story, card=replace(story.card, record={}, train_classes={}), losses=()))
    assert "None" not in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_temperature_changes_scores_and_never_answers(told: tuple[Path, Story], tmp_path: Path) -> None:
    _, story = told
    task = story.card.task
    assert isinstance(task, Classification)
    answers = task.arrays(story.predictions, story.examples)
    fitted = fit_temperature(log_probabilities(answers.probabilities), answers.gold)
    assert fitted != 1
    folders = []
    for name, temperature in (("plain", 1.0), ("fitted", fitted)):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        card = replace(story.card, task=replace(task, temperature=temperature))
        tell(folders[-1], replace(story, card=card))
    for old, new in zip(*map(read_answers, folders)):
        assert old["predicted"] == new["predicted"]
        assert new["score"] != old["score"]
        assert new["score"] == max(new["scores"].values())
    plain, after = ({row["where"] for row in read_errors(folder)} for folder in folders)
    assert plain == after
    assert f"{fitted:.3f}" in (folders[1] / "README.md").read_text(encoding="utf-8")


def test_without_matplotlib_one_line_says_how_to_get_plots(
    told: tuple[Path, Story], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, story = told
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with caplog.at_level("INFO", "bertwright"):
        written = tell(tmp_path, story)
    assert {path.name for path in written} == {"predictions.jsonl", "errors.csv", "README.md"}
    assert [line for line in caplog.messages if "bertwright[plots]" in line] == caplog.messages
    assert ".png" not in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_is_not_there(told: tuple[Path, Story], tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW501"):
        tell(tmp_path / "nowhere", told[1])


def make_story(texts: Mapping[str, tuple[str, str]], labels: tuple[str, ...], text_b: str | None = None) -> Story:
    """A story of one answer a text: text to true and predicted label."""
    examples = [
        Example(text, Label(gold), Where("d.csv", i), text_b) for i, (text, (gold, _)) in enumerate(texts.items(), 2)
    ]
    rest = 0.4 / (len(labels) - 1)
    predictions = [
        ClassPrediction(False, said, 0.6, {label: 0.6 if label == said else rest for label in labels})
        for _, said in texts.values()
    ]
    task = Classification(labels)
    metrics = [{"step": 1, "train_loss": 0.7, "dev_accuracy": 0.5}]
    return Story(Card(Path(), {}, task, task.judge(predictions, examples), metrics, 1), examples, predictions)


def test_a_spreadsheet_runs_no_formula_from_a_text(tmp_path: Path) -> None:
    texts = ['=HYPERLINK("http://x")', "+1 for this", "-5", "@SUM(A1)", "plain", "two\nlines", '"quoted", comma', "\tx"]
    tell(tmp_path, make_story(dict.fromkeys(texts, ("a|b", "=b")), ("a|b", "=b"), text_b="=2"))
    rows = read_errors(tmp_path)
    assert [row["text"] for row in rows] == [
        "'" + texts[0], "'+1 for this", "-5", "'@SUM(A1)", "plain", "two\nlines", '"quoted", comma', "'\tx",
    ]  # fmt: skip
    assert {row["predicted"] for row in rows} == {"'=b"}
    assert {row["text_b"] for row in rows} == {"'=2"}
    assert [row["text"] for row in read_answers(tmp_path)] == texts, "JSON lines keep texts as they are"
    assert "a\\|b" in (tmp_path / "README.md").read_text(encoding="utf-8"), "a bar in a label does not end a cell"


def test_chinese_classes_never_turn_into_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    labels = ("财经新闻", "体育", "科技")
    story = make_story({"甲": ("体育", "科技"), "乙": ("科技", "科技"), "丙": ("财经新闻", "财经新闻")}, labels)
    tell(tmp_path, story)
    assert "财经新闻" in (tmp_path / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr("bertwright.reports.plot_words.font_families", lambda _texts: None)
    tell(tmp_path, story)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "0: 财经新闻, 1: 体育, 2: 科技" in card


def test_plots_that_are_english_for_want_of_a_font_say_so_and_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("matplotlib")
    story = make_story({"a": ("b", "b"), "c": ("d", "b"), "e": ("d", "d")}, ("b", "d"))
    monkeypatch.setattr("bertwright.reports.plot_words.font_families", lambda _texts: None)
    for lang, said_so in (("zh", True), ("en", False)):
        monkeypatch.setenv("BERTWRIGHT_LANG", lang)
        caplog.clear()
        with caplog.at_level(logging.INFO, "bertwright"):
            tell(tmp_path, story)
        card = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert ("fonts-noto-cjk" in card) == said_so
        assert sum("没有安装含汉字的字体" in line for line in caplog.messages) == said_so


def test_a_font_that_was_installed_since_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import font_manager

    from bertwright.reports import plot_fonts as fonts

    listed = [one for one in font_manager.fontManager.ttflist if one.name == "STIXGeneral"]
    others = [one for one in font_manager.fontManager.ttflist if one.name != "STIXGeneral"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*others])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [one.fname for one in listed])
    fonts._installed_since.cache_clear()
    found = fonts._installed_since()
    fonts._installed_since.cache_clear()
    assert {name for name, _ in found} == {"STIXGeneral"}
    assert "STIXGeneral" in {one.name for one in font_manager.fontManager.ttflist}


def test_a_font_is_chosen_only_if_it_has_the_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from bertwright.reports import plot_fonts as fonts

    assert fonts.font_families(["plain", "Ünïcode", "two\nlines"]) == [fonts.DEFAULT]
    found = fonts.font_families(["财经", "體育"])
    if found is not None:
        from matplotlib import font_manager
        from matplotlib.ft2font import FT2Font

        assert "Last Resort" not in " ".join(found), "that font has every character, as a box"
        files = [font_manager.findfont(name, fallback_to_default=False) for name in found]
        covered = set().union(*(FT2Font(file).get_charmap() for file in files))
        assert {ord(character) for character in "财经體育"} <= covered
    characters = {"default": {1}, "latin": {ord("a")}, "han": {ord("财"), ord("a")}}
    monkeypatch.setattr(fonts, "_default_file", lambda: "default")
    monkeypatch.setattr(fonts, "_characters_of", lambda file: frozenset(characters[file]))
    monkeypatch.setattr(fonts, "_candidates", lambda: [("Latin", "latin"), ("Han", "han")])
    assert fonts.font_families(["财"]) == [fonts.DEFAULT, "Han"]
    assert fonts.font_families(["财经"]) is None


def test_many_classes_are_drawn_as_those_with_the_most_mistakes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    labels = tuple(f"class {index}" for index in range(77))
    texts = {f"text {i}": (labels[i % 77], labels[(i * i) % 77]) for i in range(200)}
    tell(tmp_path, make_story(texts, labels))
    assert (tmp_path / "confusion.png").read_bytes().startswith(PNG)
    assert "| true | predicted | times |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_curves_of_a_pretraining_are_painted() -> None:
    pytest.importorskip("matplotlib")
    from bertwright.reports.plots import png_of_curves

    rows = [{"step": 2.0, "dev_mlm_loss": 3.0}, {"step": 4.0, "dev_mlm_loss": 2.0}]
    picture = png_of_curves({"mlm_loss": [4.0, 3.0, 2.5, 2.0], "mlm_accuracy": [0.1] * 4}, rows)
    assert picture.startswith(PNG)
    assert len(picture) > 5000


def test_bars_of_many_types_and_of_names_without_a_font() -> None:
    pytest.importorskip("matplotlib")
    from bertwright.reports.plots import png_of_bars

    many = Bars("F1", tuple(f"type {i}" for i in range(40)), tuple(range(40)), {"F1": [0.5] * 40})
    picture, legend = png_of_bars(many)
    assert picture.startswith(PNG)
    assert legend == []
    strange = Bars("F1", ("\U000110d0",), (3,), {"F1": [1.0], "F1 without": [0.0]})
    picture, legend = png_of_bars(strange)
    assert picture.startswith(PNG)
    assert legend in ([], ["0: \U000110d0"])


def test_a_card_names_no_absolute_path_and_no_setting_of_another_task(
    told: tuple[Path, Story], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, story = told
    settings = {**story.card.record["settings"], "num_beams": 3, "class_weight": "balanced", "init": "/home/me/base"}
    record = {**story.card.record, "train_source": "/home/me/secret/train.csv", "model": "/home/me/models/bert-mine"}
    story = replace(story, card=replace(story.card, record={**record, "settings": settings}))
    tell(tmp_path, story)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "/home/me" not in card
    assert str(tmp_path) not in card
    assert "| training data | train.csv |" in card
    assert "from `bert-mine`" in card
    assert "num_beams" not in card, "means nothing to a classifier"
    assert "class_weight = balanced" in card
    monkeypatch.chdir(tmp_path.parent)
    assert place(str(tmp_path / "best")) == f"{tmp_path.name}/best", "below the current folder the path from there"
    assert place("3 rows") == "3 rows"


def test_a_card_is_chinese_where_a_person_reads_chinese(
    told: tuple[Path, Story], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, story = told
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    judged = story.card.task.untempered().judge(story.predictions, story.examples)
    tell(tmp_path, replace(story, card=replace(story.card, judged=judged)))
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    for part in ("用于文本分类的 BERT", "## 开发集得分", "| 准确率 |", "95 % 区间", "## 校准", "## 局限", '"一段文本"'):
        assert part in card, part
    for english in ("Scores", "It reads", "texts", "Limits", "the others come", "lower is better"):
        assert english not in card, english
    header = (tmp_path / "errors.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "位置,真实答案,预测答案,得分,真实答案得分,是否截断,文本"


def test_the_legend_of_the_calibration_covers_nothing(told: tuple[Path, Story]) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import rc_context

    from bertwright.reports.plot_style import STYLE
    from bertwright.reports.plot_words import PlotWords
    from bertwright.reports.plots import reliability_figure

    calibration = told[1].card.judged.calibration
    assert calibration is not None
    with rc_context(STYLE):
        figure = reliability_figure(calibration, PlotWords.plain())
        figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert not any(box is not None and legend.overlaps(box) for box in (axes.get_tightbbox() for axes in figure.axes))
    assert all(axes.get_legend() is None for axes in figure.axes)


def test_a_plot_is_labelled_in_chinese_only_where_a_font_has_the_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from bertwright.reports import plot_words

    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    monkeypatch.setattr(plot_words, "font_families", lambda _texts: ["Some Font"])
    assert plot_words.PlotWords.plain()(Phrase("true class")) == "真实类别"
    monkeypatch.setattr(plot_words, "font_families", lambda texts: None if any("的" in t for t in texts) else ["Plain"])
    assert plot_words.PlotWords.plain()(Phrase("true class")) == "true class"
