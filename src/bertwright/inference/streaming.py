"""Answers for any number of texts into a file, in constant memory; an interrupted job goes on where it stopped."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.lock import sole_writer
from bertwright.checkpoint.replacing import (
    is_stream,
    opened_stream,
    opened_to_append,
    say_if_replaced,
    settle,
    write_text,
)
from bertwright.console import remarks_console
from bertwright.data.examples import Example
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.inference.answer_rows import ALL, AnswerRows, columns_of
from bertwright.inference.doubts import Doubts
from bertwright.inference.predictor import Predictor
from bertwright.progress import progress
from bertwright.wording import quantity, said

log = logging.getLogger("bertwright")

_TEXTS_AT_ONCE = 1024  # sorted by length among themselves
_CHARACTERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """What a half-finished output belongs to: the same model that answers in the same way, the same input read the
    same way, the same form.

    Attributes:
        run: the folder of the model.
        model: a digest of the names, sizes and times of its files.
        source: the input, with its size in bytes and the time it was written, in nanoseconds; of a folder, the sum and
            the latest of those of its files.
        names: a digest of the names of the files in a folder; empty for a file.
        beside: the input's columns that are kept, as of `AnswerRows`.
        columns: of the texts.
        form: `jsonl`, `csv`, `escaped` or `excel`.
        encoding: of the input, where it was named.
        answering: how the model was told to answer, in `key=value` words.
        precision: the numbers in which it answers.
    """

    run: str
    model: str
    source: str
    size: int
    written: int
    columns: tuple[str | None, str | None]
    form: str
    encoding: str | None = None
    answering: tuple[str, ...] = ()
    names: str = ""
    beside: tuple[str, ...] = ()
    precision: str = "fp32"

    def to_json(self) -> str:
        """One line; without `beside` and `precision`, as versions wrote it that knew no such things, where nothing is
        kept and answers are computed in fp32.
        """
        values = asdict(self)
        if not self.beside:
            del values["beside"]
        if self.precision == "fp32":
            del values["precision"]
        return json.dumps(values)


def form_of(output: Path, *, excel: bool = False, escaped: bool = False) -> str:
    """`jsonl` or `csv`, by the ending of the name, `escaped` or `excel`; into a device or a pipe without one `jsonl`.

    Raises:
        BertwrightError: BW432 for another ending, or another than `.csv` for a spreadsheet.
    """
    form = output.suffix.lower().removeprefix(".")
    asked = "excel" if excel else "escaped" if escaped else ""
    if form not in ("jsonl", "csv") and is_stream(output):
        return asked or "jsonl"
    if form not in ("jsonl", "csv") or (asked and form != "csv"):
        raise BertwrightError("BW432", file=output)
    return asked or form


def job_of(
    run: Path,
    source: Path,
    form: str,
    columns: Columns | None = None,
    encoding: str | None = None,
    answering: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> Job:
    """The job of answering the texts of `source` with the model of `run`."""
    folder, is_folder = model_folder(run), source.is_dir()
    best = folder / "best"
    states = [(file.name, stat.st_size, stat.st_mtime_ns) for file, stat in _files(best if best.is_dir() else folder)]
    read = _files(source, "**/*") if is_folder else [(source, source.stat())]
    size, written = sum(stat.st_size for _, stat in read), max((stat.st_mtime_ns for _, stat in read), default=0)
    names = [(str(file.relative_to(source)), stat.st_size) for file, stat in read] if is_folder else []
    named = (None, None) if columns is None else (columns.text, columns.text_b)
    return Job(
        str(folder.resolve()), _digest(states), str(source.resolve()), size, written, named, form,
        encoding, tuple(answering), _digest(names) if names else "", tuple(beside),
    )  # fmt: skip


def _files(folder: Path, pattern: str = "*") -> list[tuple[Path, os.stat_result]]:
    return [(file, file.stat()) for file in sorted(folder.glob(pattern)) if file.is_file()]


def _digest(states: object) -> str:
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]


def answer_lines(
    predictor: Predictor[Any], examples: Iterable[Example], rows: AnswerRows, done: int = 0
) -> Iterator[str]:
    """Lines of a file of answers, one an example and in their order; for CSV the first one has the header before it.

    The first `done` examples are passed over. What shares a batch is the same then: in bf16 the last digits of a score
    depend on it.
    """
    doubts = Doubts()
    for chunk in _chunks(examples):
        over = min(done, len(chunk))
        done -= over
        if over == len(chunk):
            continue
        answers = predictor.answer(chunk)[over:]
        doubts.note(chunk[over:], answers)
        for example, answer in zip(chunk[over:], answers):
            yield rows.lines(example, answer)
    doubts.say()
    rows.say()


def write_answers(
    predictor: Predictor[Any],
    examples: Iterable[Example],
    output: Path,
    job: Job,
    *,
    resume: bool,
    all_scores: bool = False,
    any_precision: bool = False,
) -> int:
    """Write the answers to `output`, which appears under its name when all of them are there.

    Until then they stand in `OUTPUT.part`, and `OUTPUT.part.json` says what they belong to. With `resume` the whole
    lines of a part are kept and their texts passed over; with `any_precision` also where they were computed in other
    numbers. A device, a pipe or a socket gets the answers as they come.

    Returns:
        How many answers stand in the file.

    Raises:
        BertwrightError: BW430 there is a part and `resume` was not asked for, BW431 it belongs to another job, BW514
            another process is writing it, BW501 the disk or the permissions do not allow writing.
    """
    if is_stream(output):
        return _sent(predictor, examples, output, AnswerRows(job.form, job.beside, all_scores))
    if output.is_symlink():  # it stays one
        output = output.resolve()
    part, label = output.with_name(f"{output.name}.part"), output.with_name(f"{output.name}.part.json")
    try:
        if output.is_dir():  # before the work: its name could not be given at the end
            raise BertwrightError("BW501", folder=output, reason=os.strerror(errno.EISDIR))
        _begin(part, label)
        with sole_writer(part):
            _begin(part, label)  # another process may just have finished it
            job, now = _as_begun(label, job), job.precision
            if any_precision:
                job = replace(job, precision=begun_in(output) or now)
            done = _taken_up(part, label, job, resume=resume)
            job = replace(job, precision=now)
            write_text(label, job.to_json() + "\n")
            header = _header_of(part, job.form) if done else ()
            rows = AnswerRows(job.form, job.beside, all_scores, header)
            lines = answer_lines(predictor, examples, rows, done)
            with _appending(part) as file:
                file.writelines(counted(lines, done))
            _, count = _whole_records(part, job.form)
            say_if_replaced(output)
            settle(part, output)
            label.unlink()
    except KeyboardInterrupt:
        log.info(said("the answers so far are in {part}; the same command with --resume goes on", part=part))
        raise
    except BertwrightError:
        raise
    except OSError as error:
        raise BertwrightError("BW501", folder=output, reason=error.strerror or error) from error
    return count


def _sent(predictor: Predictor[Any], examples: Iterable[Example], output: Path, rows: AnswerRows) -> int:
    """Write the answers to what keeps none; how many."""
    count = 0
    with opened_stream(output) as stream:
        for line in counted(answer_lines(predictor, examples, rows)):
            stream.write(line.encode())
            stream.flush()
            count += 1
    return count


def _begin(part: Path, label: Path) -> None:
    """Make the part where it is not there; raises `OSError` where a link or a pipe lies in the place of either."""
    if label.is_symlink() or part.is_symlink() or is_stream(part):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    opened_to_append(part).close()


def _as_begun(label: Path, job: Job) -> Job:
    """The job; of a part that a version began which kept no other columns, one without them."""
    if job.beside == (ALL,) and label.is_file() and '"beside"' not in label.read_text(encoding="utf-8"):
        return replace(job, beside=())
    return job


def begun_in(output: Path) -> str | None:
    """The numbers in which an output was begun that is not whole yet; None where there is none."""
    label = output.with_name(f"{output.name}.part.json")
    try:
        precision = read_json_file(label).get("precision", "fp32")
    except (OSError, ValueError, AttributeError):
        return None
    return str(precision)


def _header_of(part: Path, form: str) -> list[str]:
    if form == "jsonl":
        return []
    with part.open(encoding="utf-8", newline="") as file:
        return columns_of(file.readline())


def _taken_up(part: Path, label: Path, job: Job, *, resume: bool) -> int:
    """How many answers stand in what an earlier command left, whole ones and no more."""
    begun = part.stat().st_size > 0
    if begun and not resume:
        raise BertwrightError("BW430", file=part)
    if begun and (not label.is_file() or label.read_text(encoding="utf-8").strip() != job.to_json()):
        raise BertwrightError("BW431", file=part)
    end, done = _whole_records(part, job.form)
    # A header without answers goes, too: it is written before the first one.
    os.truncate(part, end if done else 0)
    if begun:
        log.info(said("{part}: going on after {answers}", part=part, answers=quantity(done, "answer")))
    return done


def counted(lines: Iterable[str], done: int = 0) -> Iterator[str]:
    """The lines, while stderr tells how many there were, and how many a second; `done` were there before.

    How many there will be is not known: the input is read as it is answered.
    """
    started = time.perf_counter()
    with progress(remarks_console(), bounded=False) as display:
        for count, line in enumerate(lines, start=1):
            yield line
            if not display.is_due():  # a sentence for every answer would take longer than the answer
                continue
            rate = count / (time.perf_counter() - started)
            note = said("{n:,} answers · {rate:,.0f}/s", n=done + count, rate=rate)
            display.show("answers", done + count, None, note)


@contextmanager
def _appending(part: Path) -> Iterator[IO[str]]:
    """The part, to be written on; on the disk in the end, and removed with its label if there is nothing in it."""
    try:
        with io.TextIOWrapper(opened_to_append(part), encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BertwrightError:
        if part.stat().st_size == 0:  # a mistake in the first texts: nothing to go on with
            part.unlink()
            part.with_name(f"{part.name}.json").unlink(missing_ok=True)
        raise


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Groups of examples that fit memory together, however long their texts are."""
    chunk: list[Example] = []
    characters = 0
    for example in examples:
        chunk.append(example)
        characters += len(example.text) + len(example.text_b or "")
        if len(chunk) == _TEXTS_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _whole_records(part: Path, form: str) -> tuple[int, int]:
    """Where the last whole record ends, and how many answers stand before that."""
    end, count, opened = 0, 0, False
    with part.open("rb") as file:
        position = 0
        for line in file:
            position += len(line)
            # A line break inside quotes belongs to its record; an odd number of quotes opens or closes one.
            opened ^= form != "jsonl" and line.count(b'"') % 2 == 1
            if line.endswith(b"\n") and not opened:
                end, count = position, count + 1
    return end, max(count - 1, 0) if form != "jsonl" else count
