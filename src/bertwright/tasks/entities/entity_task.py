"""What the tasks that find marked parts of texts have in common: their data, their answers, their scores."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Generic, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from bertwright.data.answers import Span
from bertwright.data.examples import Example, spans_of
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.tagged.encoded_units import EncodedUnits, encode_units
from bertwright.data.tagged.endless import refuse_endless
from bertwright.data.tagged.span_sources import looks_tagged, read_spans, stream_spans
from bertwright.data.tagged.units import Unit, unit_for
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError, hint
from bertwright.evaluation.calibration import reliability_table
from bertwright.evaluation.confidence import Estimate
from bertwright.evaluation.entity_scores import EntityCounts, entity_reliability
from bertwright.evaluation.score_scaling import Scaling, cross_scaled, fit_scaling
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.tasks.entities.entity_comparison import EntityComparison, compare_entities
from bertwright.tasks.judged import MISTAKE_HEADER, Bars, Judged, Mistakes, ScoreTable
from bertwright.tasks.task import HowToRead, S, Task
from bertwright.text.tokenizer.inputs import half_of_a_pair
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import Phrase, said, shown


@dataclass(frozen=True)
class EntityTask(Task[EntityPrediction, S], Generic[S]):
    """Parts of a text are marked, each with a type.

    Attributes:
        types: in alphabetical order.
        unit: what a part is made of.
        scaling: what makes the scores of entities honest; None where there were too few to tell.
    """

    types: tuple[str, ...]
    unit: Unit = "word"
    scaling: Scaling | None = field(default=None, kw_only=True)

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
        return read_spans(source, labelled=how["labelled"], encoding=encoding, name=name, keep_unmarked=True)

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The types are those that occur.

        Raises:
            BertwrightError: BW254 an example without spans, BW246 no span at all, BW274 a single endless one, and
                those of `check_spans`.
        """
        cls.check_spans(examples)
        refuse_endless(examples, source)
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

    def to_json(self) -> dict[str, Any]:
        scaling = None if self.scaling is None else self.scaling.to_json()
        return {"types": list(self.types), "unit": self.unit, "scaling": scaling}

    def calibrated(self, predictions: Sequence[EntityPrediction], examples: Sequence[Example]) -> Self:
        """With the scaling that fits the scores of these entities, where it helps those it was not fitted on."""
        return replace(self, scaling=fit_scaling(*_sureness(predictions, examples)))

    def untempered(self) -> Self:
        return replace(self, scaling=None)

    def tempered(self, predictions: Sequence[EntityPrediction]) -> list[EntityPrediction]:
        """The entities stay, only how sure they are changes."""
        if self.scaling is None:
            return [*predictions]
        return [_rescored(one, self.scaling) for one in predictions]

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
        counts = self._counts(predictions, examples)
        main = counts[""]
        bars = Bars(
            Phrase("F1 of each type"), main.types, tuple(main.true.tolist()), {"F1": main.f1_of_types().tolist()}
        )
        shares = {"F1": main.interval(), "precision": Estimate(main.precision), "recall": Estimate(main.recall)}
        return Judged(
            count=len(examples),
            scores=self.score(predictions, examples),
            metrics=shares,
            metrics_note=said("The interval comes from resampling the texts."),
            tables=self._tables(counts, predictions, examples),
            figures={"types.png": bars} if bars.names else {},
            types=self.types,
            details={"metrics": {name.lower(): one.to_json() for name, one in shares.items()}, "types": main.to_json()},
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

    def _tables(
        self, counts: Mapping[str, EntityCounts], given: Sequence[EntityPrediction], examples: Sequence[Example]
    ) -> list[ScoreTable]:
        """Each type; what is told of the answers beside that; places that were found with another type."""
        main = counts[""]
        header = tuple(map(said, ("type", "in the data", "found", "precision", "recall", "F1")))
        rows = [
            _row(kind, row["true"], row["found"], [row["precision"], row["recall"], row["f1"]])
            for kind, row in main.to_json().items()
        ]
        rows.append(_row(said("all"), main.true.sum(), main.found.sum(), [main.precision, main.recall, main.f1]))
        note = said("An entity is right if its place and its type are.")
        entities = ScoreTable(said("Entities"), header, tuple(rows), note)
        return [entities, self._beside(counts, given, examples), *_confusions(_spans_of(examples), given)]

    def _beside(
        self, counts: Mapping[str, EntityCounts], given: Sequence[EntityPrediction], examples: Sequence[Example]
    ) -> ScoreTable:
        """Other readings of the same scores, and what the scores of entities are worth."""
        rows = [(said("F1, {name}", name=said(name)), f"{one.f1:.4f}") for name, one in counts.items() if name]
        rows.append((said("error of the scores (ECE)"), f"{_ece(given, examples):.4f}"))
        scores, right, texts = _sureness(given, examples)
        if self.scaling is None and fit_scaling(scores, right, texts) is not None:
            error = reliability_table(cross_scaled(scores, right, texts), right.astype(np.int64)).error()
            rows.append((said("the same, calibrated, on texts like these"), f"{error:.4f}"))
        return ScoreTable(said("Beside that"), ("", said("value")), tuple(rows), self.readings_note)


def _row(kind: str, true: int, found: int, shares: Sequence[float]) -> tuple[str, ...]:
    return (kind, str(true), str(found), *(f"{share:.4f}" for share in shares))


def _sureness(
    given: Sequence[EntityPrediction], examples: Sequence[Example]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """`[N]` the scores of all entities that were found, whether each is right, and the number of its text."""
    found = [
        (entity.score, entity.span in gold, text)
        for text, (one, gold) in enumerate(zip(given, map(set, _spans_of(examples))))
        for entity in one.entities
    ]
    scores, right, texts = zip(*found) if found else ((), (), ())
    return np.array(scores, dtype=np.float64), np.array(right, dtype=np.bool_), np.array(texts, dtype=np.int64)


def _rescored(prediction: EntityPrediction, scaling: Scaling) -> EntityPrediction:
    scores = scaling(np.array([one.score for one in prediction.entities], dtype=np.float64)).tolist()
    entities = tuple(replace(one, score=score) for one, score in zip(prediction.entities, scores))
    return replace(prediction, entities=entities)


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
    rows = tuple((true, told, str(count)) for (true, told), count in most)
    header = said("true"), said("answered"), said("times")
    return [ScoreTable(said("The right place with another type"), header, rows)]
