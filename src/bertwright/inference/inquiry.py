"""What a person wants answered, from wherever it comes and wherever the answers go."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import place_for
from bertwright.data.examples import Example
from bertwright.data.reading.opened_source import OpenedSource, opened
from bertwright.data.reading.stdin import lines_of_stdin, rows_of_stdin
from bertwright.data.reading.tables import Columns, describe
from bertwright.errors import BertwrightError
from bertwright.inference.answer_rows import ALL, AnswerRows
from bertwright.inference.predictor import Predictor, as_examples
from bertwright.inference.streaming import answer_lines, begun_in, form_of, job_of, write_answers
from bertwright.machine.device import usable_device
from bertwright.machine.precision import has_bf16
from bertwright.wording import quantity, said

log = logging.getLogger("bertwright")

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Texts to answer.

    Attributes:
        texts: as they were typed; without them and `source` the lines of stdin are answered.
        text_b: the second text of each.
        source: a file or a folder of texts; `-`: JSON lines on stdin.
        columns: of the source.
        encoding: of the source, or of the lines of stdin.
        output: the file of the answers; None: they are given line by line.
        resume: whether an interrupted output is gone on with.
        delimiter: between the columns of the source; None: found.
        kept: columns of the source that stand beside the answers; None: all of them.
        excel: whether a CSV output is for a spreadsheet.
        accept_other_machine: whether an output is gone on with in other numbers than it was begun in, where this
            processor has no instructions for those.
    """

    texts: Sequence[str] = ()
    text_b: str | None = None
    source: Path | None = None
    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None
    output: Path | None = None
    resume: bool = False
    delimiter: str | None = None
    kept: Sequence[str] | None = None
    excel: bool = False
    accept_other_machine: bool = False

    def check(self) -> None:
        """Refuse what does not go together, before a model is loaded.

        Raises:
            BertwrightError: BW106 texts and a source, BW115 a second text beside a source, BW110 an output without a
                file to read, BW632 nothing to resume, BW633 options of a file without one, BW639 a spreadsheet
                without an output, and those of `place_for`.
        """
        rules = {
            "BW106": self.texts and self.source,
            "BW115": self.text_b is not None and self.source,
            "BW110": self.output and self.source in (None, STDIN),
            "BW632": self.resume and not self.output,
            "BW639": self.excel and self.source and not self.output,
        }
        for code, is_broken in rules.items():
            if is_broken:
                raise BertwrightError(code)
        if self.source is None:
            self._check_options()
        for file in filter(_is_a_file, self.texts):
            log.warning(said("'{text}' is answered as a text; for the texts in that file: --input {text}", text=file))
        if self.output is not None and self.source is not None:
            place_for(self.output, self.source)

    def _check_options(self) -> None:
        # Lines of stdin have an encoding, arguments have come through the shell's.
        of_files = {
            "--text-column": self.columns.text,
            "--text-b-column": self.columns.text_b,
            "--encoding": self.texts and self.encoding,
            "--delimiter": self.delimiter,
            "--columns": self.kept,
            "--excel": self.excel,
        }
        if given := [name for name, value in of_files.items() if value]:
            raise BertwrightError("BW633", options=", ".join(given))

    def answers(self, predictor: Predictor[Any], run: Path, choices: Sequence[str] = ()) -> Iterator[str]:
        """The answers as JSON lines; none where they go to an output.

        Args:
            predictor: of the model in `run`.
            choices: how it is to answer, in `key=value` words.
        """
        if choices:
            predictor = predictor.answering(choices)
        columns, examples = self._examples(predictor)
        if self.output is None or self.source is None:
            yield from answer_lines(predictor, examples, AnswerRows("jsonl", self._kept))
            return
        if predictor.engine.name != "torch":
            choices = [*choices, f"engine={predictor.engine.name}"]
        if self.delimiter is not None:
            choices = [*choices, f"delimiter={self.delimiter}"]
        form = form_of(self.output, excel=self.excel)
        job = job_of(run, self.source, form, columns, self.encoding, choices, self._kept)
        job = replace(job, precision=predictor.engine.precision)
        anyhow = self.accept_other_machine
        count = write_answers(predictor, examples, self.output, job, resume=self.resume, any_precision=anyhow)
        log.info(said("{answers} in {output}", answers=quantity(count, "answer"), output=self.output))

    def precision(self, wished: str, device: str) -> str:
        """In which numbers to answer: those in which an output was begun that is gone on with, or as `wished`.

        Raises:
            BertwrightError: BW157 the device has no instructions for these.
        """
        begun = begun_in(self.output) if self.resume and self.output else None
        if begun is None or wished != "auto":
            return wished
        if begun == "fp32" or has_bf16(usable_device(device)):
            return begun
        if not self.accept_other_machine:
            raise BertwrightError("BW157", output=self.output, precision=begun, device=device)
        log.warning(said("{output} was begun in {precision}, and goes on in fp32", output=self.output, precision=begun))
        return wished

    @property
    def _kept(self) -> tuple[str, ...]:
        return (ALL,) if self.kept is None else tuple(self.kept)

    def _examples(self, predictor: Predictor[Any]) -> tuple[Columns, Iterator[Example]]:
        if self.source is None:
            lines = self.texts or lines_of_stdin(self.encoding)
            items = lines if self.text_b is None else ((line, self.text_b) for line in lines)
            name = "arguments" if self.texts else "stdin"
            examples = as_examples(items, name)
            if (first := next(examples, None)) is None:
                raise BertwrightError("BW205", source=name)
            return self.columns, chain([first], examples)
        is_stdin = self.source == STDIN
        source = rows_of_stdin(self.encoding) if is_stdin else opened(self.source, self.encoding, self.delimiter)
        columns, examples = predictor.task.stream(source, self.columns, self.encoding)
        name, read = "stdin" if is_stdin else str(self.source), describe(columns, None)
        encoding = "" if is_stdin or self.encoding else _encoding_of(source)
        log.info(said("{source}{encoding}: {columns}", source=name, encoding=encoding, columns=read))
        for remark in source.remarks if isinstance(source, OpenedSource) else ():
            log.warning(said("{name}: {parts}", name=name, parts=remark))
        return columns, examples


def _encoding_of(source: Any) -> str:
    """` (gb18030)`, where a file's encoding was found by looking and is none that everybody expects."""
    if not isinstance(source, OpenedSource) or source.path.is_dir() or source.suffix in (".parquet", ".pq"):
        return ""
    return "" if source.encoding.startswith("utf-8") else said(" ({encoding})", encoding=source.encoding)


def _is_a_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, a NUL
        return False
