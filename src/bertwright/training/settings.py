"""The settings of a fine-tuning run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bertwright.config import Settings


class FinetuneSettings(Settings):
    """What `key=value` words and recipes may set."""

    epochs: int = Field(3, ge=1, description="passes over the training data")
    batch_size: int = Field(32, ge=1, description="texts in a step of the optimizer")
    learning_rate: float | None = Field(
        None, gt=0, description="peak rate; not given: by the width of the model, see default_learning_rate"
    )
    weight_decay: float = Field(0.01, ge=0, description="not on biases and norms")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    schedule: Literal["linear", "cosine", "constant"] = Field("linear", description="how it falls after that")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    max_length: int = Field(512, ge=3, description="longest text in tokens; what is cut is counted and said")
    dev_share: float = Field(0.1, gt=0, lt=1, description="part of the training data held out without a dev set")
    seed: int = Field(42, ge=0, description="order, dropout, fresh weights and held-out part follow from it")


def default_learning_rate(hidden_size: int) -> float:
    """The peak rate for a model of this width: the wider, the smaller (5e-5 at 768, the middle of those in
    Devlin et al. 2019, appendix A.3; 2e-5 at 1024; narrow models bear and need more).
    """
    if hidden_size >= 1024:
        return 2e-5
    return 5e-5 if hidden_size >= 768 else 1e-4
