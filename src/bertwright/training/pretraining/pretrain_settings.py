"""The settings of a pre-training run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from bertwright.corpus.drawing.sampling_settings import Masking, Objective, SamplingSettings
from bertwright.model.config import BertConfig
from bertwright.model.shapes import SHAPES, Shape
from bertwright.training.loop_settings import LoopSettings
from bertwright.wording import Phrase, said

_OF_A_SHAPE = ("num_hidden_layers", "hidden_size", "num_attention_heads")


class PretrainSettings(LoopSettings):
    """What `key=value` words and recipes may set in pre-training."""

    learning_rate: float | None = Field(
        None,
        gt=0,
        description="peak rate; not given: by the width of the model: 1e-3 up to 256, 5e-4, from 768 on 3e-4, from "
        "1024 2e-4",
    )
    objective: Objective = Field("mlm+nsp", description="mlm+nsp, mlm+sop or mlm")
    partners: Literal["any"] = Field("any", description="random second texts of mlm+nsp: of any document")
    masking: Masking = Field("token", description="what is masked: token, word, ngram or span")
    mask_share: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is to be found")
    short_share: float = Field(0.1, ge=0, le=1, description="share of the examples with a random shorter length")
    max_length: int = Field(128, ge=8, description="tokens of an example, special ones included")
    phases: tuple[tuple[float, int], ...] = Field(
        (), description="shares of the steps and their max_length, as in [[0.9, 128], [0.1, 512]]"
    )
    batch_tokens: int = Field(
        16384, ge=64, description="a step reads this many tokens: batch_tokens / max_length texts"
    )
    held_out: float = Field(0.01, gt=0, lt=1, description="share of the documents kept for evaluation")
    eval_examples: int = Field(512, ge=1, description="held-out texts that an evaluation reads, at most")
    max_tokens: int | None = Field(None, ge=1, description="budget in tokens, turned into steps before the first one")
    max_minutes: float | None = Field(None, gt=0, description="budget in time, turned into steps before the first one")
    workers: int = Field(0, ge=0, description="processes that draw texts ahead; they change no number")
    shape: Shape = Field("mini", description="of a model from scratch: tiny, mini, small, medium, base, large")
    num_hidden_layers: int | None = Field(
        None, ge=1, description="instead of that of the shape; more than --init has: it gets new ones on top"
    )
    hidden_size: int | None = Field(None, ge=1, description="instead of that of the shape")
    num_attention_heads: int | None = Field(None, ge=1, description="instead of that of the shape")
    intermediate_size: int | None = Field(None, ge=1, description="not given: 4 * hidden_size")
    max_position_embeddings: int = Field(512, ge=8, description="rows of the position table of a model from scratch")
    word_start: Literal["random", "counts"] = Field(
        "random", description="word table of a model from scratch: random, or counts of which tokens stand side by side"
    )

    epochs: int = Field(1, ge=1, description="passes over the corpus, each with fresh masks and pairs")
    warmup: float = Field(0.05, ge=0, le=1, description="share of the steps in which the rate rises")
    beta2: float = Field(0.98, gt=0, lt=1, description="how long AdamW remembers the size of gradients")

    @field_validator("partners", mode="before")
    @classmethod
    def _any(cls, partners: object) -> object:
        if partners == "near":
            raise ValueError(Phrase("it made no better models and was taken out; second texts come from any document"))
        return partners

    @field_validator("phases")
    @classmethod
    def _whole(cls, phases: tuple[tuple[float, int], ...]) -> tuple[tuple[float, int], ...]:
        if phases and abs(sum(share for share, _ in phases) - 1) > 1e-6:
            raise ValueError(Phrase("the shares of the phases must sum to 1"))
        if any(share <= 0 or length < 8 for share, length in phases):
            raise ValueError(Phrase("each phase is a share above 0 and a length of at least 8"))
        return phases

    @property
    def plan(self) -> tuple[tuple[float, int], ...]:
        """The phases; one of them where none are given."""
        return self.phases or ((1.0, self.max_length),)

    @property
    def longest(self) -> int:
        """The largest max_length of the phases."""
        return max(length for _, length in self.plan)

    def sampling(self, max_length: int) -> SamplingSettings:
        """How examples of this length are drawn."""
        return SamplingSettings(
            objective=self.objective,
            max_length=max_length,
            short_share=self.short_share,
            masking=self.masking,
            mask_share=self.mask_share,
            held_out=self.held_out,
        )

    def config_values(self) -> dict[str, Any]:
        """The shape of a model from scratch, in the words of `config.json`."""
        layers, hidden, heads = SHAPES[self.shape]
        hidden = self.hidden_size or hidden
        return {
            "num_hidden_layers": self.num_hidden_layers or layers,
            "hidden_size": hidden,
            "num_attention_heads": self.num_attention_heads or heads,
            "intermediate_size": self.intermediate_size or 4 * hidden,
            "max_position_embeddings": max(self.max_position_embeddings, self.longest),
        } | self.dropout_values()

    def without_effect(self) -> list[str]:
        lines = super().without_effect()
        if self.phases and "max_length" in self.model_fields_set:
            what = f"max_length={self.max_length}"
            lines.append(said("{what} has no effect: the phases say their lengths", what=what))
        return lines

    def layers_from(self, config: BertConfig) -> int:
        """How many layers a run has that goes on from a model of this config: its own, or more if it has any."""
        own = config.num_hidden_layers
        return max(own, self.num_hidden_layers or 0) if own else 0

    def other_than(self, config: BertConfig) -> list[str]:
        """What was given of the shape of a model from scratch, and is not that of `config`: a line for each."""
        values = self.config_values()
        given = {*_OF_A_SHAPE, "intermediate_size", "max_position_embeddings"} & self.model_fields_set
        lines = [
            said("{name}={value}, where it has {own}", name=name, value=getattr(self, name), own=getattr(config, name))
            for name in sorted(given)
            if getattr(self, name) not in (None, getattr(config, name))
        ]
        shaped = {*_OF_A_SHAPE} - given
        if "shape" in self.model_fields_set and any(values[name] != getattr(config, name) for name in shaped):
            lines.append(said("shape={shape}, where it has another one", shape=self.shape))
        return lines


def default_pretraining_rate(hidden_size: int) -> float:
    """The peak rate for a model of this width and steps of some ten thousand tokens: the wider, the smaller."""
    if hidden_size >= 768:
        return 3e-4 if hidden_size < 1024 else 2e-4
    return 1e-3 if hidden_size <= 256 else 5e-4
