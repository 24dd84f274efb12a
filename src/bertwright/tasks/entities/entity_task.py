"""What the tasks that find marked parts of texts have in common: their data, their answers, their scores."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, Unpack

from bertwright.data.answers import Span
from bertwright.data.examples import Example, spans_of
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.tagged.encoded_units import EncodedUnits, encode_units
from bertwright.data.tagged.span_sources import looks_tagged, read_spans, stream_spans
from bertwright.data.tagged.units import Unit, unit_for
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError, hint
from bertwright.evaluation.entity_scores import EntityCounts, entity_reliability
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.tasks.entities.entity_comparison import EntityComparison, compare_entities
from bertwright.tasks.judged import MISTAKE_HEADER, Bars, Judged, Mistakes, ScoreTable
from bertwright.tasks.task import HowToRead, S, Task
from bertwright.text.tokenizer.inputs import half_of_a_pair
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import shown


@dataclass(frozen=True)
class EntityTask(Task[EntityPrediction, S], Generic[S]):
    """Parts of a text are marked, each with a type.

    Attributes:
        types: in alphabetical order.
        unit: what a part is made of.
    """

    types: tuple[str, ...]
    unit: Unit = "word"

    reads_pairs: ClassVar[bool | None] = False  # type: ignore[misc]
    metric: ClassVar[str] = "f1"
    of_windows: ClassVar[str | None] = "of which the one with most context speaks for a word"
    collapse_causes: ClassVar[str] = (
        "too few steps (before it finds anything, a model learns that most words are in no entity: more epochs help), "
        "spans that do not belong to their texts (bertwright inspect DATA --model MODEL --show-alignment 5), or data "
        "in which hardly anything is marked (leave out a part of the texts without entities)"
    )
    readings_note: ClassVar[str] = ""  # what the other readings are

    @classmethod
    def read(
        cls, source: Any, columns: Columns | None = None, *, known: Collection[str] = (), **how: Unpack[HowToRead]
    ) -> Table:
        """As `read_spans`; such data has no columns to choose from, and no pairs of texts.

        Raises:
            BertwrightError: BW124 for columns that are named nevertheless, and those of `read_spans`.
        """
        for wished, column in (asdict(columns) if columns else {}).items():
            if column is not None:
                raise BertwrightError("BW124", name=f"{wished}_column", value=column, task=cls.name)
        assert not how.get("pair")
        encoding, name = how.get("encoding"), how.get("name", "train")
        return read_spans(source, labelled=how["labelled"], encoding=encoding, name=name)

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The types are those that occur.

        Raises:
            BertwrightError: BW254 an example without spans, BW246 no span at all, and those of `check_spans`.
        """
        cls.check_spans(examples)
        types = sorted({span.type for example in examples for span in spans_of(example) or ()})
        if not types:
            raise BertwrightError("BW246", source=source, count=len(examples))
        return cls(tuple(types), unit_for(examples))

    @classmethod
    def check_spans(cls, examples: Sequence[Example]) -> None:
        """Every example must say what is marked in it.

        Raises:
            BertwrightError: BW254 for one that does not, BW406 for a type that no file can hold.
        """
        for example in examples:
            spans = spans_of(example)
            if spans is None:
                raise BertwrightError("BW254", where=example.where)
            for span in spans:
                if error := half_of_a_pair(span.type, example.where):
                    raise error

    def check(self, examples: Sequence[Example]) -> None:
        """Every type must be known.

        Raises:
            BertwrightError: BW255 an unknown type, and those of `check_spans`.
        """
        self.check_spans(examples)
        known = set(self.types)
        for example in examples:
            for span in spans_of(example) or ():
                if span.type not in known:
                    close = hint(span.type, self.types)
                    raise BertwrightError(
                        "BW255", where=example.where, type=span.type, known=shown(self.types), nearest=close
                    )

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedUnits:
        return encode_units(tokenizer, examples, self.unit, reading)

    def stream(self, source: Any, columns: Columns, encoding: str | None = None) -> tuple[Columns, Iterator[Example]]:
        """Tagged data is read as such, whatever its tags say; other data, and named columns, as any texts. No row is
        left out.
        """
        source = opened(source, encoding)
        if any(asdict(columns).values()) or not looks_tagged(source):
            return super().stream(source, columns)
        return stream_spans(source)

    @abstractmethod
    def readings(self, given: Sequence[EntityPrediction]) -> dict[str, list[Sequence[Any]]]:
        """The answers, under an empty name, and other readings of the same scores that are told beside them."""

    def score(self, predictions: Sequence[EntityPrediction], examples: Sequence[Example]) -> dict[str, float]:
        counts = self._counts(predictions, examples)
        main = counts.pop("")
        scores = {"f1": main.f1, "precision": main.precision, "recall": main.recall}
        scores |= {f"{name}_f1": one.f1 for name, one in counts.items()}
        scores["ece"] = _ece(predictions, examples)
        return scores

    def _counts(self, given: Sequence[EntityPrediction], examples: Sequence[Example]) -> dict[str, EntityCounts]:
        """What was found under each of the `readings`."""
        gold = _spans_of(examples)
        return {name: EntityCounts.of(gold, one) for name, one in self.readings(given).items()}

    def judge(self, predictions: Sequence[EntityPrediction], examples: Sequence[Example]) -> Judged:
        bars = self._bars(predictions, examples)
        return Judged(
            count=len(examples),
            scores=self.score(predictions, examples),
            tables=self._tables(predictions, examples),
            figures={"types.png": bars} if bars.names else {},
        )

    def mistakes(self, predictions: Sequence[EntityPrediction], examples: Sequence[Example]) -> Mistakes:
        """Each wrong entity with what stands there in truth, then the true ones that are neither found nor told."""
        wrong, missed = [], []
        for example, one in zip(examples, predictions):
            gold = spans_of(example) or ()
            told = {entity.span for entity in one.entities}
            for entity in one.entities:
                if entity.span not in gold:
                    kind, meant = _meant_by(entity, gold)
                    told.update(meant)
                    true = ", ".join(_named(example.text, span) for span in meant)
                    wrong.append(_error(example, kind, true, _named(example.text, entity), entity.score))
            # One that lies in another, which was found, overlaps an answer and is missed nevertheless.
            missed += [
                _error(example, "missed", _named(example.text, span), "", 0.0) for span in gold if span not in told
            ]
        return Mistakes.of([*sorted(wrong, key=lambda row: -row["score"]), *missed], MISTAKE_HEADER)

    def only_answer(self, predictions: Sequence[EntityPrediction], examples: Sequence[Example]) -> str | None:
        nothing = not any(one.entities for one in predictions)
        return "no entity" if nothing and any(spans_of(example) for example in examples) else None

    @property
    def question(self) -> tuple[str, frozenset[Hashable]]:
        return "entities", frozenset(self.types)

    def compare(self, a: Sequence[EntityPrediction], b: Sequence[EntityPrediction], table: Table) -> EntityComparison:
        return compare_entities(a, b, table, self.types)

    def _tables(self, given: Sequence[EntityPrediction], examples: Sequence[Example]) -> list[ScoreTable]:
        """Each type, under every reading; then places that were found with another type."""
        counts = self._counts(given, examples)
        main = counts.pop("")
        beside = [f"{name.replace('_', ' ')} F1" for name in counts]
        header = ("type", "in the data", "found", "precision", "recall", "F1", *beside)
        others = [dict(zip(one.types, one.f1_of_types().tolist())) for one in counts.values()]
        rows = []
        for kind, row in main.to_json().items():
            shares = [row["precision"], row["recall"], row["f1"], *(one.get(kind, 0.0) for one in others)]
            rows.append(_row(kind, row["true"], row["found"], shares))
        shares = [main.precision, main.recall, main.f1, *(one.f1 for one in counts.values())]
        rows.append(_row("all", main.true.sum(), main.found.sum(), shares))
        interval = main.interval()
        note = f"An entity is right if its place and its type are.{self.readings_note}"
        if interval.low is not None:
            note += f" F1 {interval.value:.4f}, 95 % interval {interval.low:.4f} to {interval.high:.4f}."
        note += f" The score of an entity is off by {_ece(given, examples):.4f} on average (ECE, 15 bins)."
        return [ScoreTable("Entities", header, tuple(rows), note), *_confusions(_spans_of(examples), given)]

    def _bars(self, given: Sequence[EntityPrediction], examples: Sequence[Example]) -> Bars:
        """The F1 of each type, and, where there is one, that of each unit for itself."""
        counts = self._counts(given, examples)
        main = counts[""]
        drawn = {"F1": main.f1_of_types().tolist()}
        if (softmax := counts.get("softmax")) is not None:
            of_types = dict(zip(softmax.types, softmax.f1_of_types().tolist()))
            drawn = {"F1 with the CRF": drawn["F1"], "F1 without": [of_types.get(kind, 0.0) for kind in main.types]}
        return Bars("F1 of each type", main.types, tuple(main.true.tolist()), drawn)


def _row(kind: str, true: int, found: int, shares: Sequence[float]) -> tuple[str, ...]:
    return (kind, str(true), str(found), *(f"{share:.4f}" for share in shares))


def _ece(given: Sequence[EntityPrediction], examples: Sequence[Example]) -> float:
    return entity_reliability(_spans_of(examples), [one.entities for one in given]).error()


def _meant_by(entity: Entity, gold: Sequence[Span]) -> tuple[str, list[Span]]:
    """What is wrong with a wrong entity, and the true ones that stand there."""
    there = [span for span in gold if span.start < entity.end and entity.start < span.end]
    if same := [span for span in there if (span.start, span.end) == (entity.start, entity.end)]:
        return "wrong type", same
    return ("wrong place" if there else "not there"), there


def _named(text: str, span: Span | Entity) -> str:
    return f"{text[span.start : span.end]} ({span.type})"


def _error(example: Example, kind: str, gold: str, predicted: str, score: float) -> dict[str, Any]:
    values = {"where": str(example.where), "kind": kind, "gold": gold or "–", "predicted": predicted or "–"}
    return {**values, "score": score, "text": example.text}


def _spans_of(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
    return [spans_of(example) or () for example in examples]


def _confusions(gold: Sequence[Sequence[Span]], given: Sequence[EntityPrediction]) -> list[ScoreTable]:
    """How often a place was found with another type than one that it has, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for spans, one in zip(gold, given):
        # A place may have several types: those that were found are confused with nothing.
        found = {entity.span for entity in one.entities}
        missed: dict[tuple[int, int], list[str]] = {}
        for span in set(spans) - found:
            missed.setdefault((span.start, span.end), []).append(span.type)
        for entity in found - set(spans):
            counts.update((true, entity.type) for true in missed.get((entity.start, entity.end), ()))
    if not counts:
        return []
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
    rows = tuple((true, said, str(count)) for (true, said), count in most)
    return [ScoreTable("The right place with another type", ("true", "answered", "times"), rows)]
