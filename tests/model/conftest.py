"""Small models with weights in which no two parameters are alike."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch

import bertwright
from bertwright import BertConfig

TINY: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
KINDS = [
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
    "BertForMultipleChoice",
]


@pytest.fixture
def make_model() -> Callable[..., Any]:
    """A model of the class that the first argument names."""

    def make(kind: str, **settings: Any) -> Any:
        torch.manual_seed(0)
        model = getattr(bertwright, kind)(BertConfig(**TINY | settings)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
        return model

    return make


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    """Three rows with 9, 4 and 1 real tokens."""
    generator = torch.Generator().manual_seed(1)
    return {
        "input_ids": torch.randint(1, 61, (3, 9), generator=generator),
        "token_type_ids": torch.randint(0, 2, (3, 9), generator=generator),
        "attention_mask": torch.tensor([[1] * 9, [1] * 4 + [0] * 5, [1] + [0] * 8]),
    }


@pytest.fixture
def warnings_of(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The warnings that the toolkit has logged so far."""
    caplog.set_level(logging.INFO, logger="bertwright")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.name == "bertwright" and record.levelno >= logging.WARNING
    ]
