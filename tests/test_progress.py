"""What a person sees of a long work."""

from __future__ import annotations

import io
import time

import pytest

from bertwright.console import plain_console
from bertwright.progress import progress
from bertwright.runs.training_state import TrainingState
from bertwright.training.training_progress import training_progress


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock shows; for the estimates, too."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    return now


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


def test_without_a_terminal_a_line_each_half_minute(capsys: pytest.CaptureFixture[str], seconds: list[float]) -> None:
    with progress(plain_console(stderr=True)) as display:
        for step in range(1, 101):
            seconds[0] += 1
            display.show("training", step, 100, f"loss [{step}]")
        for share in (0.0, 0.25, 0.5):
            seconds[0] += 20
            display.show("scanning", share)
    assert capsys.readouterr().err.splitlines() == [
        "training: 31 % · loss [31] · 69 s left",
        "training: 62 % · loss [62] · 38 s left",
        "training: 93 % · loss [93] · 7 s left",
        "scanning: 25 %",
    ]


def test_on_a_terminal_a_bar_for_each_stage() -> None:
    console = plain_console(file=io.StringIO(), force_terminal=True, width=120)
    with progress(console) as display:
        display.show("scanning", 1.0)
        display.show("encoding", 30, 120, "loss [0.5]")
        display.say("above it")
    told = console.file.getvalue()  # type: ignore[attr-defined]
    last = [line for line in told.splitlines() if "encoding" in line][-1]
    assert "━" in last
    assert "25%" in last
    assert "loss [0.5]" in last
    assert any("scanning" in line and "100%" in line for line in told.splitlines())
    assert told.index("above it") < told.rindex("encoding")


def test_where_nobody_knows_how_much_there_is_the_note_is_taken_away_in_the_end() -> None:
    console = plain_console(file=io.StringIO(), force_terminal=True, width=120)
    with progress(console, bounded=False) as display:
        display.show("answers", 5, None, "5 answers")
        display.say("above it")
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "5 answers" in told
    assert "━" not in told, "no bar"
    assert told.endswith("\x1b[2K"), "its line is erased"


def test_the_meter_tells_step_means_and_speed(capsys: pytest.CaptureFixture[str], seconds: list[float]) -> None:
    state = TrainingState(512, step=4, tokens=3000, seconds=2.0)
    with training_progress(10, state, peak_tokens=3000.0) as meter:
        for loss in (1.0, 2.0):
            seconds[0] += 31
            meter.show({"loss": loss, "pair_loss": 0.5})
            state.step += 1
    assert capsys.readouterr().err.splitlines() == [
        "training: 50 % · step 5/10 · loss 1.0000 · pair loss 0.5000 · 1,500 tokens/s · MFU 50 %",
        "training: 60 % · step 6/10 · loss 1.0500 · pair loss 0.5000 · 1,500 tokens/s · MFU 50 % · 124 s left",
    ]
