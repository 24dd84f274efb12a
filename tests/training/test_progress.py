"""What a person sees of a run."""

from __future__ import annotations

import pytest

from bertwright.runs.training_state import TrainingState
from bertwright.training.training_progress import training_progress


@pytest.mark.parametrize("terminal", [False, True])
def test_lines_are_shown_as_they_are(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    lines = ["  the [cat] sat [on, not a] mat", "  one [/] two [/, not .] three", "  a [b] : cat : :cat: [猫]"]
    with training_progress(3, TrainingState(512)) as meter:
        for line in lines:
            meter.say(line)
    told = capsys.readouterr().err
    assert [line for line in lines if line not in told] == []
