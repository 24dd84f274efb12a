"""The settings of training runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bertwright.data.windows import Long
from bertwright.settings import Settings
from bertwright.wording import said

HIGHEST_USUAL_RATE = 1e-2


class LoopSettings(Settings):
    """What every training run may set."""

    epochs: int = Field(
        3, ge=1, description="passes over the training data, at most; not given: more than 3 where rows are few"
    )
    max_steps: int | None = Field(None, ge=1, description="stop after this many steps, whatever the epochs")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="peak rate; not given: by the width of the model: 3e-4 up to 256, then 1e-4, from 768 on 5e-5, "
        "from 1024 on 2e-5",
    )
    head_factor: float = Field(
        1.0, gt=0, description="rate of the head (seq2seq: of the decoder), as a multiple of learning_rate"
    )
    transition_factor: float = Field(
        100.0, gt=0, description="rate of the transitions of a CRF, as a multiple of learning_rate"
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="rate of each layer of the encoder, as a multiple of that of the layer above it"
    )
    optimizer: Literal["adamw", "muon"] = Field("adamw", description="muon: for the matrices of the encoder's layers")
    beta2: float = Field(0.999, gt=0, lt=1, description="how long AdamW remembers the size of gradients")
    weight_decay: float = Field(0.01, ge=0, description="not on biases and norms")
    dropout: float | None = Field(
        None, ge=0, lt=1, description="not given: what the config of the model says; 0.1 for a model from scratch"
    )
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    schedule: Literal["linear", "cosine", "constant", "wsd"] = Field(
        "linear", description="how it falls after that; wsd: it stays, and falls at the end"
    )
    decay: float = Field(
        0.2, gt=0, le=1, description="share of the steps in which the rate falls (schedule=wsd), after the warm-up"
    )
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the machine computes it")
    gradient_checkpointing: bool = Field(False, description="less memory for about a third more time")
    micro_tokens: int | None = Field(
        None, ge=1, description="tokens computed at once; not given: what fits memory; the step stays the same"
    )
    eval_steps: int | None = Field(None, ge=1, description="evaluate every so many steps; not given: every epoch")
    save_steps: int | None = Field(None, ge=1, description="save every so many steps; not given: see save_minutes")
    save_minutes: float = Field(10.0, gt=0, description="save after so many minutes; every evaluation saves, too")
    patience: int = Field(0, ge=0, description="stop after this many evaluations without a better one; 0: never")
    seed: int = Field(42, ge=0, lt=2**63, description="order, dropout, fresh weights and held-out part follow from it")

    def doubts(self) -> list[str]:
        """What was given and hardly ever leads to a good model: a line for each."""
        if self.learning_rate is None or self.learning_rate <= HIGHEST_USUAL_RATE:
            return []
        return [
            said(
                "learning_rate={rate:g} is far above the usual (2e-5 to 1e-3): the loss will probably explode",
                rate=self.learning_rate,
            )
        ]

    def without_effect(self) -> list[str]:
        """What was given and changes nothing: a line for each."""
        if "decay" in self.model_fields_set and self.schedule != "wsd":
            return [said("decay={decay} has no effect: it belongs to schedule=wsd", decay=self.decay)]
        return []

    def dropout_values(self) -> dict[str, Any]:
        """What `dropout` says, in the words of `config.json`; nothing where it is not given."""
        if self.dropout is None:
            return {}
        return {
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "classifier_dropout": None,  # as the others
        }


class FinetuneSettings(LoopSettings):
    """What every fine-tuning may set; each task adds its own (`training.finetuning.task_settings`)."""

    batch_size: int = Field(32, ge=1, description="texts in a step of the optimizer, whatever fits memory at once")
    freeze: int = Field(
        0, ge=0, description="this many of the encoder's lowest layers, and its embeddings, are not trained"
    )
    class_weight: Literal["none", "balanced", "sqrt"] = Field("none", description="rare classes count more")
    max_length: int = Field(512, ge=8, description="tokens that the model reads at once")
    long: Long = Field("window", description="longer texts: window (read all), head, head+tail, error")
    overlap: int = Field(
        128, ge=0, description="tokens that neighbouring windows share; by itself a quarter of max_length at most"
    )
    dev_share: float = Field(0.1, gt=0, lt=1, description="part of the training data held out without a dev set")

    def without_effect(self) -> list[str]:
        lines = super().without_effect()
        if "overlap" in self.model_fields_set and self.long != "window":
            said_ = said("overlap={n} has no effect: long={long} reads one window", n=self.overlap, long=self.long)
            lines.append(said_)
        return lines


def lower_rate(rate: float, hidden_size: int) -> float:
    """A peak rate to try where this one was too high: the usual one, or a tenth where that is lower."""
    return min(default_learning_rate(hidden_size), rate / 10)


def default_learning_rate(hidden_size: int) -> float:
    """The peak rate for a model of this width: the wider, the smaller (5e-5 at 768, the highest of those in
    Devlin et al. 2019, appendix A.3; 2e-5 at 1024; narrow models bear and need more).
    """
    if hidden_size >= 1024:
        return 2e-5
    if hidden_size >= 768:
        return 5e-5
    return 1e-4 if hidden_size > 256 else 3e-4
