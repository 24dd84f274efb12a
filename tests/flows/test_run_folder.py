"""Which folder a run writes to, and what becomes of the run that was there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bertwright.errors import BertwrightError
from bertwright.runs.belongings import strangers
from bertwright.runs.run_folder import RunFolder

from .conftest import Command


@pytest.mark.parametrize("given", [".", "../sentiment", "positive/.."])
def test_a_run_on_a_folder_is_called_by_the_name_of_the_folder(
    given: str, command: Command, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("negative", "positive"):
        (tmp_path / "sentiment" / name).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "sentiment" / name / f"{number}.txt").write_text(f"a {name} day {number}", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "sentiment")
    result = command("finetune", given, "--model", tiny_model, "max_steps=1")
    assert result.code == 0, result.err
    assert [path.name for path in Path("runs").iterdir()] == ["sentiment"]


@pytest.fixture
def earlier(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes a folder that looks like that of a run."""

    def make(folder: Path) -> Path:
        for name in ("best", "last"):
            (folder / name).mkdir(parents=True)
            (folder / name / "config.json").write_text("{}", encoding="utf-8")
        (folder / "metrics.csv").write_text("", encoding="utf-8")
        (folder / "run.json").write_text('{"schema_version": 1, "finished": true}', encoding="utf-8")
        return folder

    return make


def test_overwriting_through_a_link_empties_the_folder_it_leads_to_and_no_other(
    earlier: Callable[[Path], Path], tmp_path: Path
) -> None:
    there, elsewhere = earlier(tmp_path / "there"), earlier(tmp_path / "elsewhere")
    shutil.rmtree(there / "best")
    (there / "best").mkdir()
    (tmp_path / "link").symlink_to(there)
    RunFolder(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").resolve() == there
    assert not list(there.iterdir())
    assert len(list(elsewhere.iterdir())) == 4


def test_the_run_json_of_another_program_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "thesis.tex").touch()
    for content in ('{"command": "npm start"}', "[1]", "{half a"):
        (folder / "run.json").write_text(content, encoding="utf-8")
        with pytest.raises(BertwrightError, match="BW504"):
            RunFolder(folder, overwrite=True)
        assert (folder / "thesis.tex").exists()
    (folder / "best").mkdir()
    with pytest.raises(BertwrightError, match="BW586.*thesis.tex"):
        RunFolder(folder, overwrite=True)
    (folder / "thesis.tex").unlink()
    RunFolder(folder, overwrite=True)
    assert not list(folder.iterdir()), "the damaged run.json of a run"


def test_nothing_of_others_is_deleted(earlier: Callable[[Path], Path], tmp_path: Path) -> None:
    folder, elsewhere = earlier(tmp_path / "run"), earlier(tmp_path / "elsewhere")
    names = ["borrowed", "notes.txt", "data/", "best/mine.txt", "last/linked", "seed-1/notes.txt", "seed-x/", ".a.tmp"]
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        elif name in ("borrowed", "last/linked"):
            path.symlink_to(elsewhere)
        else:
            path.write_text("mine", encoding="utf-8")
    before = sorted(folder.rglob("*"))
    assert strangers(folder) == sorted(names)
    with pytest.raises(BertwrightError, match=r"BW586.*\.a\.tmp.*\(\+4\)"):
        RunFolder(folder, overwrite=True)
    assert sorted(folder.rglob("*")) == before
    with pytest.raises(BertwrightError, match="BW586"):
        RunFolder.require_place(folder, overwrite=True)


def test_a_report_of_a_task_of_others_is_the_runs_own(earlier: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = earlier(tmp_path / "run")
    (folder / "heat.png").touch()
    (folder / ".heat.png.tmp").touch()
    assert strangers(folder) == [".heat.png.tmp", "heat.png"]
    text = '{"schema_version": 1, "finished": true, "report_files": ["heat.png"]}'
    (folder / "run.json").write_text(text, encoding="utf-8")
    RunFolder(folder, overwrite=True)
    assert not list(folder.iterdir())


def test_all_that_a_run_writes_is_known_to_be_its_own(run: Path) -> None:
    assert strangers(run) == []


def test_overwriting_where_a_person_stands(
    earlier: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(earlier(tmp_path / "here"))
    RunFolder(Path(), overwrite=True).write_run({"finished": False})
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["run.json"]


@pytest.mark.parametrize("after", range(4))
def test_a_deletion_that_was_killed_is_done_again(
    after: int, earlier: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, left = earlier(tmp_path / "run"), after

    def slowly(path: Path, *, tree: bool) -> bool:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        delete_tree(path) if tree else delete(path)
        return True

    delete_tree, delete = shutil.rmtree, os.unlink
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda path: slowly(path, tree=True))
        patched.setattr(Path, "unlink", lambda path, **_: path.name[0] == "." or slowly(path, tree=False))
        with pytest.raises(KeyboardInterrupt):
            RunFolder(folder, overwrite=True)
    assert len(list(folder.iterdir())) == 4 - after
    assert (folder / "run.json").exists()
    assert after == 0 or not (folder / "last").exists()
    RunFolder(folder, overwrite=True)
    assert not list(folder.iterdir())


def test_a_run_that_cannot_be_deleted(
    earlier: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(BertwrightError, match="BW560.*Permission denied"):
        RunFolder(earlier(tmp_path / "run"), overwrite=True)


def test_going_on_and_beginning_anew_exclude_each_other(
    command: Command, train_csv: Path, tiny_model: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("A text.\n", encoding="utf-8")
    for words in (
        ("finetune", train_csv, "--model", tiny_model),
        ("pretrain", tmp_path / "store"),
        ("prepare", corpus, "--vocab", tiny_model),
    ):
        result = command(*words, "--out", tmp_path / "out", "--resume", "--overwrite")
        assert result.code == 2
        assert "error BW561: --resume and --overwrite were both given" in result.err
