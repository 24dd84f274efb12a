"""Nothing that comes from data, names or files is obeyed by a terminal, and no message fills its screen."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import typer
from rich.table import Table

from bertwright.checkpoint.folders import verify
from bertwright.cli import main as command_line
from bertwright.console import ForTerminal, plain_console, plain_text
from bertwright.errors import LONGEST_MESSAGE, BertwrightError, nearest
from bertwright.progress import progress
from bertwright.wording import LANGUAGES, Phrase, said, shortened, visible

HOSTILE = "a\x1b]0;owned\x07b\x9b31mc\u202ed\u2066e\rf\x7fg"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def without_style(text: str) -> str:
    """What rich itself tells a terminal: colours, the place of the cursor, lines that are erased."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", text)


def test_what_a_terminal_obeys_becomes_an_escape_that_json_reads_as_the_same() -> None:
    assert not OBEYED.search(visible(HOSTILE))
    assert visible("Grüße\t你好\n\u200f🙂") == "Grüße\t你好\n\u200f🙂"
    assert json.loads(visible(json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False))) == {HOSTILE: HOSTILE}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_messages_and_remarks_hold_facts_that_are_not_obeyed(lang: str) -> None:
    error = BertwrightError("BW324", file=HOSTILE, reason=Phrase("holds a {kind}, not named tensors", kind=HOSTILE))
    quoted = BertwrightError("BW502", folder=HOSTILE)
    for text in (error.message(lang), quoted.message(lang), said("{name}: {n}", name=HOSTILE, n=1)):
        assert not OBEYED.search(text)
    assert error.fields["file"] == HOSTILE, "who catches it gets what was given"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("length", [100, 5_000, 2_000_000])
def test_a_message_is_bounded(lang: str, length: int) -> None:
    long = "字" * length
    message = BertwrightError("BW506", folder=f"/begin{long}end", name=long, was=long, now=long).message(lang)
    assert len(message.encode()) <= LONGEST_MESSAGE
    assert "/begin" in message
    assert "BW506" in message
    assert len(message.splitlines()) == 3
    if length > 5_000:
        assert "end" in message
        assert "…(+1,99" in message or "…(+2,000" in message
    assert nearest(long, ["字", "b"]) == ""


def test_a_shortened_text_keeps_both_ends_and_tells_what_is_left_out() -> None:
    assert shortened("abc", 3) == "abc"
    for most in range(20, 60):
        text = shortened("b" + "x" * 1000 + "e", most)
        assert len(text) <= most
        assert (text[0], text[-1]) == ("b", "e")


def test_a_remark_is_bounded_and_not_obeyed() -> None:
    stream = io.StringIO()
    handler = command_line._StderrHandler(stream)
    handler.handle(logging.LogRecord("bertwright", logging.WARNING, "", 1, HOSTILE + "x" * 9000, (), None))
    assert not OBEYED.search(stream.getvalue())
    assert len(stream.getvalue()) < 4300


def test_tables_lines_and_bars_are_not_obeyed() -> None:
    stream = Terminal()
    console = plain_console(file=stream, force_terminal=True, width=200)
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(plain_text(HOSTILE))
    table.add_row(HOSTILE)
    console.print(table)
    console.print(HOSTILE)
    with progress(console) as display:
        display.show(HOSTILE, 0.5, note=HOSTILE)
        display.say(HOSTILE)
        display.show(HOSTILE, 1.0, note=HOSTILE)
    assert not OBEYED.search(without_style(stream.getvalue()))
    assert "\\u001b]0;owned\\u0007b" in stream.getvalue()


def test_a_cell_is_as_wide_as_what_is_seen() -> None:
    stream = Terminal()
    table = Table()
    table.add_column("a")
    for text in (HOSTILE, "b"):
        table.add_row(plain_text(text))
    plain_console(file=stream, width=200, no_color=True).print(table)
    lines = without_style(stream.getvalue()).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert visible(HOSTILE) in stream.getvalue()


def test_stdout_is_not_obeyed_where_it_is_a_terminal_and_rich_still_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout", stream)
    command_line._settle_streams()
    import sys

    assert isinstance(sys.stdout, ForTerminal)
    print(HOSTILE)
    sys.stdout.writelines([HOSTILE, "\n"])
    typer.echo(HOSTILE)
    assert not OBEYED.search(raw.getvalue().decode())
    plain_console(force_terminal=True, color_system="standard").print("text", style="bold")
    assert "\x1b[1mtext" in raw.getvalue().decode()


def test_a_pipe_gets_texts_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="utf-8", write_through=True))
    command_line._settle_streams()
    print(HOSTILE)
    assert raw.getvalue().decode() == HOSTILE + "\n"


def test_every_loader_of_names_is_spoken_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A name in a manifest, which somebody else wrote, is told as an escape."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "manifest.json").write_text(
        json.dumps({"schema_version": 1, "files": {HOSTILE: {"size": 1, "sha256": ""}}}), encoding="utf-8"
    )
    with pytest.raises(BertwrightError) as caught:
        verify(folder)
    assert not OBEYED.search(str(caught.value))
