"""A text, its pieces and their tags side by side: whether the tags of the data meet the tokens of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertwright.data.examples import Example, spans_of
from bertwright.data.targets import RaggedTargets
from bertwright.data.windows import Reading
from bertwright.tasks.task import Task
from bertwright.text.tokenizer.tokenizer import BertTokenizer

_WHOLE = 1 << 30  # tokens


@dataclass(frozen=True, slots=True)
class AlignedToken:
    """One token.

    Attributes:
        text: the part of the source that it stands for; empty for special tokens.
        piece: as the vocabulary has it.
        tag: what the model learns at it; `·` where it learns nothing, and empty for a task without tags.
    """

    text: str
    piece: str
    tag: str


def alignment(
    kind: type[Task[Any, Any]], tokenizer: BertTokenizer, examples: Sequence[Example], example: Example
) -> list[AlignedToken]:
    """The tokens of one of `examples`, which are of the task `kind`."""
    tags: list[str] = []
    if spans_of(example) is not None and any(spans_of(one) for one in examples):
        task = kind.from_examples(examples, example.where.source)
        encoded = task.encode(tokenizer, [example], Reading(_WHOLE, "head", 0))
        names = task.config_changes()["id2label"]
        targets = task.targets([example], encoded)
        if isinstance(targets, RaggedTargets):
            tags = [names.get(number, "·") for number in targets.take(np.array([0])).tolist()]
        one = encoded.inputs[0]
    else:
        pairs = None if example.text_b is None else [example.text_b]
        one = tokenizer.encode_batch([example.text], pairs, truncation=False)[0]
    pieces = tokenizer.convert_ids_to_tokens(one.input_ids.tolist())
    places = zip(one.sequence_ids.tolist(), one.offsets.tolist())
    texts = (example.text, example.text_b or "", "")  # the last one, -1, is that of special tokens
    return [
        AlignedToken(texts[side][start:end], piece, tag)
        for (side, (start, end)), piece, tag in zip(places, pieces, tags or [""] * len(pieces))
    ]
