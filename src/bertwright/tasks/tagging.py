"""Sequence labelling: the marked parts of a text and their types, by a tag for each word or character.

Shapes: N inputs, K texts, T tokens of a batch, B inputs of a batch, W units of a text, C tags.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.examples import Example, Span
from bertwright.data.ragged import Ragged
from bertwright.data.spans.encoding import EncodedUnits, Ints, choose_inputs, encode_units
from bertwright.data.spans.schemes import Scheme, spell_tag, tag_set, write_tags
from bertwright.data.spans.sources import read_spans
from bertwright.data.spans.units import Unit, span_of_units, trim, unit_for
from bertwright.data.spans.writing import overlapping
from bertwright.data.tables import Columns, Table
from bertwright.data.targets import RaggedTargets, Targets
from bertwright.data.windows import EncodedTexts, Reading
from bertwright.errors import BertwrightError, nearest, shown
from bertwright.evaluation.entities import EntityCounts, entity_reliability
from bertwright.model.crf import LinearChainCrf
from bertwright.model.models import BertForTokenClassification, BertWithHead
from bertwright.model.tagger import IGNORED, BertCrfForTokenClassification, kept_seqlens
from bertwright.tasks.entities import EntityPrediction
from bertwright.tasks.tag_decoding import Reader
from bertwright.tasks.task import Prediction, ScoreTable, Task
from bertwright.text.tokenizer import BertTokenizer

log = logging.getLogger("bertwright")

_UNITS_AT_ONCE = 1 << 16  # whose emissions are decoded together


@dataclass(frozen=True)
class Tagging(Task):
    """Every unit of a text gets a tag, and the tags say which parts are marked.

    Attributes:
        types: of entities, in alphabetical order.
        head: `crf`, or `softmax`: each unit for itself.
        scheme: of the tags, `bio` or `bioes`.
        unit: what gets a tag, `word` or `character`.
        crf: that of the model that answers; None before there is one, and for `softmax`.
    """

    types: tuple[str, ...]
    head: Literal["crf", "softmax"] = "crf"
    scheme: Scheme = "bio"
    unit: Unit = "word"
    crf: LinearChainCrf | None = None

    name: ClassVar[str] = "tagging"
    metric: ClassVar[str] = "f1"
    pipeline: ClassVar[str] = "token-classification"
    of_windows: ClassVar[str] = "of which the one with most context speaks for a word"
    own_settings: ClassVar[tuple[str, ...]] = ("head", "scheme", "unit", "transition_factor")

    @property
    def model_class(self) -> type[BertWithHead]:
        """By the head."""
        return BertCrfForTokenClassification if self.head == "crf" else BertForTokenClassification

    @property
    def pipeline_note(self) -> str:  # type: ignore[override]
        """`transformers` has no CRF."""
        if self.head == "softmax":
            return ""
        return "\n\n`transformers` leaves the CRF out and takes each word for itself: its answers are less good."

    @property
    def tags(self) -> list[str]:
        """C names, in the order of the model's scores."""
        return tag_set(self.types, self.scheme)

    @classmethod
    def read(
        cls,
        source: Any,
        columns: Columns | None = None,
        *,
        labelled: bool,
        encoding: str | None = None,
        name: str = "train",
        pair: bool | None = None,
    ) -> Table:
        """As `read_spans`; such data has no columns to choose from, and no pairs of texts.

        Raises:
            BertwrightError: BW124 for columns that are named nevertheless, and those of `read_spans`.
        """
        for wished, column in (asdict(columns) if columns else {}).items():
            if column is not None:
                raise BertwrightError("BW124", name=f"{wished}_column", value=column, task=cls.name)
        assert not pair
        return read_spans(source, labelled=labelled, encoding=encoding, name=name)

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The types are those that occur.

        Raises:
            BertwrightError: BW254 an example without spans, BW245 spans that overlap, BW246 no span at all.
        """
        _refuse_overlaps(examples)
        types = sorted({span.type for example in examples for span in example.spans or ()})
        if not types:
            raise BertwrightError("BW246", source=source, count=len(examples))
        return cls(tuple(types), unit=unit_for(examples))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(tuple(values["types"]), values["head"], values["scheme"], values["unit"])

    def to_json(self) -> dict[str, Any]:
        return {"types": list(self.types), "head": self.head, "scheme": self.scheme, "unit": self.unit}

    def with_options(self, options: Mapping[str, Any]) -> Self:
        if options["class_weight"] != "none":
            raise BertwrightError("BW124", name="class_weight", value=options["class_weight"], task=self.name)
        chosen = {"head": options["head"], "scheme": options["scheme"]}
        if options["unit"] != "auto":
            chosen["unit"] = options["unit"]
        return replace(self, **chosen)

    def with_model(self, model: BertWithHead) -> Self:
        return replace(self, crf=model.crf if isinstance(model, BertCrfForTokenClassification) else None)

    def config_changes(self) -> dict[str, Any]:
        return {"id2label": dict(enumerate(self.tags)), "problem_type": None}

    def check(self, examples: Sequence[Example]) -> None:
        """Every type must be known, and spans must not overlap.

        Raises:
            BertwrightError: BW254 an example without spans, BW245 spans that overlap, BW255 an unknown type.
        """
        _refuse_overlaps(examples)
        known = set(self.types)
        for example in examples:
            for span in example.spans or ():
                if span.type not in known:
                    close = nearest(span.type, self.types)
                    raise BertwrightError(
                        "BW255",
                        where=example.where,
                        type=span.type,
                        known=shown(self.types),
                        nearest=f"({close}?)" if close else "",
                    )

    def encode(self, tokenizer: BertTokenizer, examples: Sequence[Example], reading: Reading) -> EncodedTexts:
        return encode_units(tokenizer, examples, self.unit, reading)

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """The tag of each unit at its first piece; -100 at other pieces, and where an input holds a part of an entity
        only: there the other inputs of the text teach.
        """
        assert isinstance(encoded, EncodedUnits)
        number = {tag: index for index, tag in enumerate(self.tags)}
        lost: list[str] = []
        rows: list[NDArray[np.int64]] = []
        of_text: tuple[int, Ints, Ints] | None = None
        for one, owner in zip(encoded.inputs, encoded.owners.tolist()):
            if of_text is None or of_text[0] != owner:
                tags, spans = self._tags_of(examples[owner], encoded.units[owner], number, lost)
                bounds = np.array([(span.start, span.end) for span in spans], dtype=np.int64).reshape(-1, 2)
                of_text = owner, tags, bounds
            row = np.full(len(one), IGNORED, dtype=np.int64)
            positions = np.flatnonzero(one.word_ids >= 0)
            held, tags = one.word_ids[positions], of_text[1]
            if len(held) < len(tags):
                tags = tags.copy()
                seen = np.zeros(len(tags), dtype=bool)
                seen[held] = True
                before = np.concatenate([[0], np.cumsum(seen)])
                inside = before[of_text[2][:, 1]] - before[of_text[2][:, 0]]
                in_part = (inside > 0) & (inside < of_text[2][:, 1] - of_text[2][:, 0])
                for start, end in of_text[2][in_part].tolist():
                    tags[start:end] = IGNORED
            row[positions] = tags[held]
            rows.append(row)
        if lost:
            log.warning(
                "%d entities begin or end within a %s: they are not learnt and count as misses (unit=character reads "
                "them): %s", len(lost), self.unit, shown(lost, 3),
            )  # fmt: skip
        return RaggedTargets(rows)

    def _tags_of(
        self, example: Example, units: Ints, number: Mapping[str, int], lost: list[str]
    ) -> tuple[Ints, list[Span]]:
        found, cut = [], []
        for span in example.spans or ():
            of_units = span_of_units(units, trim(example.text, span))
            if of_units is None:
                lost.append(f"{example.where} '{example.text[span.start : span.end]}'")
                cut.append(span)
            else:
                found.append(of_units)
        tags = [number[spell_tag(tag, self.scheme)] for tag in write_tags(found, len(units), self.scheme)]
        numbers = np.array(tags, dtype=np.int64)
        for span in cut:
            numbers[(units[:, 0] < span.end) & (units[:, 1] > span.start)] = IGNORED
        return numbers, found

    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """Units of an input, which make the loss one per unit; a unit in several windows counts once."""
        assert isinstance(encoded, EncodedUnits)
        counts = np.array([max(int((one.word_ids >= 0).sum()), 1) for one in encoded.inputs], dtype=np.float64)
        of_text = np.bincount(encoded.owners, counts, minlength=len(encoded.units))
        units = np.array([max(len(one), 1) for one in encoded.units], dtype=np.float64)
        weights: NDArray[np.float64] = counts * (units / of_text)[encoded.owners]
        return weights

    def loss(self, model: BertWithHead, batch: Ragged, targets: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """A mean over the units of each input, times its weight."""
        scores = model.scores(batch).float()
        keep = targets != IGNORED
        emissions, tags = scores[keep], targets[keep]
        bounds = kept_seqlens(batch.cu_seqlens, keep)
        counts = bounds.diff()
        if isinstance(model, BertCrfForTokenClassification):
            losses = model.crf.negative_log_likelihood(emissions, tags, bounds)
        else:
            of_units = F.cross_entropy(emissions, tags, reduction="none")
            owners = torch.repeat_interleave(counts)
            losses = of_units.new_zeros(len(counts)).index_add(0, owners, of_units)
        return {"loss": (losses / counts.clamp(min=1) * weights).sum()}

    def loss_at_start(self) -> float | None:
        """ln C; of a CRF, whose forbidden paths take part in no sum, it depends on the lengths."""
        return math.log(len(self.tags)) if self.head == "softmax" else None

    def scores(self, model: BertWithHead, batch: Ragged) -> Sequence[Tensor]:
        """`[S, C]` of each input."""
        return torch.split(model.scores(batch).float().cpu(), list(batch.lengths))

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[Prediction]:
        """The emissions of a text are stitched together, each unit's from the input with most context; then the best
        path over the whole text is taken. Where a part of the text was cut off, it ends one path and begins another.
        """
        assert isinstance(encoded, EncodedUnits)
        reader = Reader(self.tags, self.scheme, self.crf)
        choices = choose_inputs(encoded)
        order = sorted(range(len(choices)), key=lambda index: -len(encoded.units[index]))
        predictions: list[Prediction] = [EntityPrediction(False, ())] * len(choices)
        for group in _groups(order, [len(units) for units in encoded.units]):
            emissions, lengths, places = [], [], []
            for index in group:
                choice = choices[index]
                seen = np.flatnonzero(choice.inputs >= 0)
                for part in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
                    if len(part):
                        emissions.append(_stitched(scores, choice.inputs[part], choice.positions[part]))
                        lengths.append(len(part))
                        places.append((index, encoded.units[index][part]))
            if not emissions:
                continue
            found = reader.read(torch.cat(emissions), lengths)
            for (index, units), one in zip(places, found):
                before = predictions[index]
                assert isinstance(before, EntityPrediction)
                predictions[index] = before.extended(one, units, encoded.texts[index])
        return [replace(one, truncated=bool(cut)) for one, cut in zip(predictions, encoded.tokens_cut)]

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        gold, given = _spans_of(examples), _given(predictions)
        counts = EntityCounts.of(gold, [one.entities for one in given])
        scores = {"f1": counts.f1, "precision": counts.precision, "recall": counts.recall}
        scores["strict_f1"] = EntityCounts.of(gold, [one.strict for one in given]).f1
        if self.head == "crf":
            scores["softmax_f1"] = EntityCounts.of(gold, [one.softmax for one in given]).f1
        scores["ece"] = entity_reliability(gold, [one.entities for one in given]).error()
        return scores

    def only_answer(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> str | None:
        nothing = not any(one.entities for one in _given(predictions))
        return "no entity" if nothing and any(example.spans for example in examples) else None

    def tables(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[ScoreTable]:
        """Each type: as conlleval counts, counted strictly, and (CRF) read from the scores of each unit alone."""
        gold, given = _spans_of(examples), _given(predictions)
        readings: dict[str, list[Any]] = {
            "": [one.entities for one in given],
            "strict": [one.strict for one in given],
        }
        if self.head == "crf":
            readings["softmax"] = [one.softmax for one in given]
        counts = {name: EntityCounts.of(gold, one) for name, one in readings.items()}
        main = counts.pop("")
        header = ("type", "in the data", "found", "precision", "recall", "F1", *(f"{name} F1" for name in counts))
        others = {name: dict(zip(one.types, one.f1_of_types().tolist())) for name, one in counts.items()}
        rows = []
        for kind, row in main.to_json().items():
            figures = [row["precision"], row["recall"], row["f1"], *(one.get(kind, 0.0) for one in others.values())]
            rows.append((kind, str(row["true"]), str(row["found"]), *(f"{figure:.4f}" for figure in figures)))
        total = (main.true.sum(), main.found.sum())
        figures = [main.precision, main.recall, main.f1, *(one.f1 for one in counts.values())]
        rows.append(("all", *map(str, total), *(f"{figure:.4f}" for figure in figures)))
        interval = main.interval()
        note = "An entity is right if its place and its type are."
        if interval.low is not None:
            note += f" F1 {interval.value:.4f}, 95 % interval {interval.low:.4f} to {interval.high:.4f}."
        table = entity_reliability(gold, [one.entities for one in given])
        note += f" The score of an entity is off by {table.error():.4f} on average (ECE, 15 bins)."
        return [ScoreTable("Entities", header, tuple(rows), note), *_confusions(gold, given)]

    def remarks(self, model: BertWithHead) -> list[str]:
        if isinstance(model, BertCrfForTokenClassification):
            moved = max(float(parameter.detach().abs().max()) for parameter in model.crf.parameters())
            if moved < 1e-3:
                return [f"the transitions of the CRF did not move (largest {moved:.1e}): raise transition_factor"]
        return []


def _refuse_overlaps(examples: Sequence[Example]) -> None:
    for example in examples:
        if example.spans is None:
            raise BertwrightError("BW254", where=example.where)
        if two := overlapping(example.spans):
            named = (f"'{example.text[one.start : one.end]}' ({one.type})" for one in two)
            raise BertwrightError("BW245", where=example.where, entities=shown(named))


def _groups(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts in the order given, in groups of bounded size (at least one member)."""
    group: list[int] = []
    units = 0
    for index in order:
        if group and units + lengths[index] > _UNITS_AT_ONCE:
            yield group
            group, units = [], 0
        group.append(index)
        units += lengths[index]
    if group:
        yield group


def _stitched(scores: Sequence[Tensor], inputs: Ints, positions: Ints) -> Tensor:
    """`[W, C]`: the scores of each unit from the input that was chosen for it."""
    if inputs[0] == inputs[-1] and (inputs == inputs[0]).all():
        return scores[int(inputs[0])][torch.from_numpy(positions)]
    rows = scores[int(inputs[0])].new_empty(len(inputs), scores[int(inputs[0])].shape[1])
    for index in np.unique(inputs).tolist():
        chosen = torch.from_numpy(np.flatnonzero(inputs == index))
        rows[chosen] = scores[index][torch.from_numpy(positions)[chosen]]
    return rows


def _spans_of(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
    return [example.spans or () for example in examples]


def _given(predictions: Sequence[Prediction]) -> list[EntityPrediction]:
    return [one for one in predictions if isinstance(one, EntityPrediction)]


def _confusions(gold: Sequence[Sequence[Span]], given: Sequence[EntityPrediction]) -> list[ScoreTable]:
    """How often a place was found with another type, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for spans, one in zip(gold, given):
        types = {(span.start, span.end): span.type for span in spans}
        for entity in one.entities:
            true = types.get((entity.start, entity.end))
            if true is not None and true != entity.type:
                counts[true, entity.type] += 1
    if not counts:
        return []
    rows = tuple((true, said, str(count)) for (true, said), count in counts.most_common(10))
    return [ScoreTable("The right place with another type", ("true", "answered", "times"), rows)]
