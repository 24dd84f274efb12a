"""Sequence labelling: the marked parts of a text and their types, by a tag for each word or character.

Shapes: N inputs, K texts, T tokens of a batch, B inputs of a batch, W units of a text, C tags.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.batches import split_by_tokens
from bertwright.data.examples import Example, spans_of
from bertwright.data.ragged import Ragged
from bertwright.data.tagged.encoded_units import EncodedUnits, Ints, choose_inputs
from bertwright.data.tagged.schemes import Scheme, tag_set
from bertwright.data.tagged.span_sources import looks_tagged
from bertwright.data.tagged.writing import overlapping
from bertwright.data.targets import Targets
from bertwright.data.windows import EncodedTexts
from bertwright.errors import BertwrightError
from bertwright.evaluation.score_scaling import Scaling
from bertwright.model.crf.linear_chain import LinearChainCrf
from bertwright.model.losses import IGNORED
from bertwright.model.models import BertForTokenClassification, BertWithHead
from bertwright.model.tagger import BertCrfForTokenClassification, kept_seqlens, masks_for
from bertwright.settings import Settings
from bertwright.tasks.entities.entities import EntityPrediction
from bertwright.tasks.entities.entity_settings import EntityValues, TaggingSettings
from bertwright.tasks.entities.entity_task import EntityTask
from bertwright.tasks.entities.tag_decoding import Reader
from bertwright.tasks.entities.tag_targets import tag_targets
from bertwright.tasks.task import Outputs
from bertwright.wording import said, shown

_UNITS_AT_ONCE = 1 << 16  # whose emissions are decoded together


class _Values(EntityValues):
    """What `task.json` says."""

    head: Literal["crf", "softmax"]
    scheme: Literal["bio", "bioes"]


@dataclass(frozen=True)
class Tagging(EntityTask[TaggingSettings]):
    """Every unit of a text gets a tag, and the tags say which parts are marked.

    Attributes:
        head: `crf`, or `softmax`: each unit for itself.
        scheme: of the tags, `bio` or `bioes`.
        crf: that of the model that answers; None before there is one, and for `softmax`.
    """

    head: Literal["crf", "softmax"] = "crf"
    scheme: Scheme = "bio"
    crf: LinearChainCrf | None = None

    name: ClassVar[str] = "tagging"
    pipeline: ClassVar[str] = "token-classification"
    settings_class: ClassVar[type[Settings]] = TaggingSettings
    other_settings: ClassVar[tuple[str, ...]] = ("transition_factor",)

    @classmethod
    def recognises(cls, source: Any, encoding: str | None) -> float:
        return 1.0 if looks_tagged(source, encoding) else 0.0

    @property
    def model_class(self) -> type[BertWithHead]:
        """By the head."""
        return BertCrfForTokenClassification if self.head == "crf" else BertForTokenClassification

    @property
    def pipeline_note(self) -> str:  # type: ignore[override]
        """`transformers` has no CRF."""
        if self.head == "softmax":
            return ""
        note = "`transformers` leaves the CRF out and takes each word for itself: its answers are less good."
        return "\n\n" + said(note)

    @property
    def tags(self) -> list[str]:
        """C names, in the order of the model's scores."""
        return tag_set(self.types, self.scheme)

    @classmethod
    def check_spans(cls, examples: Sequence[Example]) -> None:
        """As every task of entities; and a unit has one tag, so entities must not overlap.

        Raises:
            BertwrightError: BW254 an example without spans, BW245 entities that overlap.
        """
        super().check_spans(examples)
        for example in examples:
            if two := overlapping(spans_of(example) or ()):
                named = (f"'{example.text[one.start : one.end]}' ({one.type})" for one in two)
                raise BertwrightError("BW245", where=example.where, entities=shown(named))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        told = _Values.of(values)
        return cls(tuple(told.types), told.unit, told.head, told.scheme, scaling=Scaling.from_json(told.scaling))

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "head": self.head, "scheme": self.scheme}

    def with_settings(self, settings: TaggingSettings) -> Self:
        unit = self.unit if settings.unit == "auto" else settings.unit
        return replace(self, unit=unit, head=settings.head, scheme=settings.scheme)

    def without_effect(self, given: Mapping[str, Any]) -> list[str]:
        if self.head == "softmax" and (factor := given.get("transition_factor")) is not None:
            what = f"transition_factor={factor}"
            return [said("{what} has no effect: head=softmax has no transitions", what=what)]
        return []

    def with_weights(self, weights: Mapping[str, Tensor]) -> Self:
        if self.head == "softmax":
            return self
        crf = LinearChainCrf(len(self.tags), **masks_for(self.tags)).to(weights["crf.transitions"].device)
        crf.load_state_dict({name: weights[f"crf.{name}"] for name in crf.state_dict()})
        return replace(self, crf=crf.requires_grad_(False))

    @property
    def output_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.tags)

    def config_changes(self) -> dict[str, Any]:
        return {"id2label": dict(enumerate(self.tags)), "problem_type": None}

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """As `tag_targets`."""
        assert isinstance(encoded, EncodedUnits)
        return tag_targets(examples, encoded, self.tags, self.scheme, self.unit)

    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """Units of an input, which make the loss one per unit; a unit in several windows counts once, one that was cut
        off does not.
        """
        assert isinstance(encoded, EncodedUnits)
        counts = np.array([max(int((one.word_ids >= 0).sum()), 1) for one in encoded.inputs], dtype=np.float64)
        of_text = np.bincount(encoded.owners, counts, minlength=len(encoded.units))
        read = [np.zeros(len(one), dtype=np.bool_) for one in encoded.units]
        for owner, one in zip(encoded.owners, encoded.inputs):
            read[owner][one.word_ids[one.word_ids >= 0]] = True
        units = np.array([max(int(one.sum()), 1) for one in read], dtype=np.float64)
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

    def scores(self, outputs: Outputs, batch: Ragged) -> Sequence[Tensor]:
        """`[S, C]` of each input."""
        return torch.split(outputs["scores"].float().cpu(), list(batch.lengths))

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[EntityPrediction]:
        """The emissions of a text are stitched together, each unit's from the input with most context; then the best
        path over the whole text is taken. Where a part of the text was cut off, it ends one path and begins another.
        """
        assert isinstance(encoded, EncodedUnits)
        reader = Reader(self.tags, self.scheme, self.crf)
        choices = choose_inputs(encoded)
        sizes = np.array([len(one) for one in encoded.units], dtype=np.int64)
        predictions = [EntityPrediction(False, ())] * len(choices)
        for group in split_by_tokens(np.argsort(-sizes, kind="stable"), sizes, _UNITS_AT_ONCE):
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
                predictions[index] = predictions[index].extended(one, units, encoded.texts[index])
        answers = [replace(one, truncated=bool(cut)) for one, cut in zip(predictions, encoded.tokens_cut)]
        return self.tempered(answers)

    def readings(self, given: Sequence[EntityPrediction]) -> dict[str, list[Sequence[Any]]]:
        """As conlleval counts; `strict`: only what is well formed. What weights that were trained with a CRF would say
        without it is no reading: it is no measure of what the CRF is worth.
        """
        return {"": [one.entities for one in given], "strict": [one.readings.get("strict", ()) for one in given]}

    @property
    def readings_note(self) -> str:  # type: ignore[override]
        return said("F1 counts as conlleval does; strict: an ill-formed sequence of tags is no entity.")

    def remarks(self, model: BertWithHead) -> list[str]:
        if isinstance(model, BertCrfForTokenClassification):
            moved = max(float(parameter.detach().abs().max()) for parameter in model.crf.parameters())
            if moved < 1e-3:
                return [
                    said(
                        "the transitions of the CRF did not move (largest {moved:.1e}): raise transition_factor",
                        moved=moved,
                    )
                ]
        return []


def _stitched(scores: Sequence[Tensor], inputs: Ints, positions: Ints) -> Tensor:
    """`[W, C]`: the scores of each unit from the input that was chosen for it."""
    if inputs[0] == inputs[-1] and (inputs == inputs[0]).all():
        return scores[int(inputs[0])][torch.from_numpy(positions)]
    rows = scores[int(inputs[0])].new_empty(len(inputs), scores[int(inputs[0])].shape[1])
    for index in np.unique(inputs).tolist():
        chosen = torch.from_numpy(np.flatnonzero(inputs == index))
        rows[chosen] = scores[index][torch.from_numpy(positions)[chosen]]
    return rows
