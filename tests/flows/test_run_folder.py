"""Which folder a run writes to, and what becomes of the run that was there."""

from __future__ import annotations

from pathlib import Path

import pytest

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
