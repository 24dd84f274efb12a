"""What a model says of its parameters, and of what training keeps for them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bertwright import BertConfig, BertForPreTraining, BertForSequenceClassification
from bertwright.model.models import BertWithHead
from bertwright.model.pointer import BertForSpanPointing
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig
from bertwright.model.tagger import BertCrfForTokenClassification

SHAPE: dict[str, Any] = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
ENCODER = [("embeddings", 3), ("layer", 2), ("layer", 1)]


@pytest.mark.parametrize(
    ("model", "above"),
    [
        (BertForSequenceClassification(BertConfig(**SHAPE)), ["head"]),
        (BertForPreTraining(BertConfig(**SHAPE, tie_word_embeddings=False)), ["head"]),
        (BertForSpanPointing(BertConfig(**SHAPE)), ["head"]),
        (BertCrfForTokenClassification(BertConfig(**SHAPE)), ["head", "transitions"]),
        (BertForSeq2SeqLM(Seq2SeqConfig(**SHAPE)), ["decoder"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_parameter_is_in_one_group(model: BertWithHead, above: list[str]) -> None:
    groups = model.parameter_groups()
    assert [(group.name, group.depth) for group in groups] == [*ENCODER, *((name, 0) for name in above)]
    grouped = Counter(id(parameter) for group in groups for parameter in group.parameters)
    assert grouped == Counter(id(parameter) for parameter in model.parameters())
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for group, start in zip(groups, ("embeddings.", "encoder.layer.0.", "encoder.layer.1.")):
        assert all(names[id(one)].startswith(f"{model.base_model_prefix}.{start}") for one in group.parameters)


def test_training_keeps_more_of_longer_texts_of_deeper_models_and_of_decoders() -> None:
    shallow, deep, pair = BertConfig(**SHAPE), BertConfig(**SHAPE | {"num_hidden_layers": 6}), Seq2SeqConfig(**SHAPE)
    assert shallow.kept_per_token(16, checkpointing=False) == 2 * (4 * (12 * 8 + 3 * 16) + 6 * 2 * 16) + 4 * 8 * 2
    assert shallow.kept_per_token(16, checkpointing=False) < shallow.kept_per_token(17, checkpointing=False)
    assert deep.kept_per_token(16, checkpointing=True) < deep.kept_per_token(16, checkpointing=False)
    more = pair.kept_per_token(16, checkpointing=False) - shallow.kept_per_token(16, checkpointing=False)
    assert more == 3 * (4 * (12 * 8 + 3 * 16) + 6 * 2 * 16) + 12 * 20
    assert pair.kept_per_token(16, checkpointing=True) - shallow.kept_per_token(16, checkpointing=True) == 12 * 20
