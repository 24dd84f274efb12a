"""Mutilated data files of every format, through every reader that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.reading.text_pairs import read_pairs
from bertwright.data.tagged.span_sources import read_spans, stream_spans

from .data_files import ENDINGS, good_file, mutilated
from .watched import Figures, watched

pytest.importorskip("pyarrow")


def readers_of(path: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What reads a file of this ending, a name each."""
    if ".conll" in path.name or ".spans" in path.name:
        yield "spans", lambda: read_spans(path).examples
        yield "a stream of spans", lambda: list(stream_spans(path)[1])
        return
    yield "examples", lambda: read_examples(path, labelled=".txt" not in path.name).examples
    yield "a stream of examples", lambda: list(stream_examples(path)[1])
    yield "texts to write", lambda: read_pairs(path, labelled=True).examples


def told(read: Callable[[], Any]) -> list[Any]:
    """What a person may see of what was read."""
    return [[one.text[:50], str(one.where), repr(one.answer)[:50]] for one in islice(read(), 50)]


def run_through(seeds: range, where: Path) -> Figures:
    """What comes of the files of these seeds; each seed meets one of the readers in turn."""
    figures = Figures()
    for seed in seeds:
        case = mutilated(seed, where / "case")
        readers = list(readers_of(case.path))
        name, read = readers[seed // len(ENDINGS) % len(readers)]
        figures.add(f"{case.name} as {name}", watched(partial(told, read)), must_refuse=case.must_refuse)
    return figures


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_good_file_of_every_format_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(good_file(ending))
    for name, read in list(readers_of(path))[:2]:
        ending_of = watched(partial(told, read))
        assert (ending_of.code, ending_of.trouble) == ("", ""), name


def test_no_mutilated_file_breaks_a_reader_or_is_believed(tmp_path: Path) -> None:
    figures = run_through(range(100), tmp_path)
    assert figures.troubles == []
    assert 10 < figures.endings["accepted"] < 90, figures.endings


@pytest.mark.slow
def test_none_of_a_thousand_mutilated_files_does(tmp_path: Path) -> None:
    figures = run_through(range(1000, 2000), tmp_path)
    print(figures.endings)
    assert figures.troubles == []
