"""From tables to what the loop reads, with an account of what was lost on the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bertwright.data.examples import Example
from bertwright.data.windows import EncodedTexts, Reading, encode_examples
from bertwright.errors import shown
from bertwright.tasks.task import Task
from bertwright.text.tokenizer import BertTokenizer
from bertwright.training.loop import Dataset

log = logging.getLogger("bertwright")


def prepare(
    task: Task,
    tokenizer: BertTokenizer,
    examples: Sequence[Example],
    reading: Reading,
    *,
    name: str,
    class_weight: str = "none",
) -> Dataset:
    """Encode the examples of the set called `name`, and say what is long, cut or unknown."""
    encoded = encode_examples(tokenizer, examples, reading)
    _say_lengths(encoded, reading, name)
    _say_unknown(encoded, examples, tokenizer, name)
    weights = (task.balance(examples, class_weight) / encoded.inputs_of)[encoded.owners]
    return Dataset(examples, encoded, task.targets(examples, encoded), weights)


def _say_lengths(encoded: EncodedTexts, reading: Reading, name: str) -> None:
    median, p95 = np.percentile(encoded.tokens, [50, 95])
    log.info(
        "%s: %d texts, %d tokens (median %d, 95 %% up to %d, longest %d)",
        name, len(encoded.tokens), encoded.tokens.sum(), median, p95, encoded.tokens.max(),
    )  # fmt: skip
    long = int((encoded.tokens > reading.max_length).sum())
    if not long:
        return
    share = 100 * encoded.tokens_cut.sum() / encoded.tokens.sum()
    if encoded.tokens_cut.any():
        log.warning(
            "%s: %d of %d texts are longer than %d tokens (long=%s); %d tokens (%.1f %% of all) are cut off",
            name, long, len(encoded.tokens), reading.max_length, reading.long, encoded.tokens_cut.sum(), share,
        )  # fmt: skip
    else:
        log.info(
            "%s: %d of %d texts are longer than %d tokens and are read in %d windows that overlap by %d",
            name, long, len(encoded.tokens), reading.max_length,
            encoded.inputs_of[encoded.tokens > reading.max_length].sum(), reading.overlap,
        )  # fmt: skip


def _say_unknown(encoded: EncodedTexts, examples: Sequence[Example], tokenizer: BertTokenizer, name: str) -> None:
    unknown = sum(one.unknown for one in encoded.inputs)
    tokens = int(encoded.lengths.sum())
    if unknown <= 0.01 * tokens:
        return
    pieces: Counter[str] = Counter()
    for owner, one in zip(encoded.owners, encoded.inputs):
        if one.unknown:
            pieces.update(one.slices_of(tokenizer.unk_token_id, examples[owner].text, examples[owner].text_b))
    log.warning(
        "%s: %.1f %% of the tokens are unknown to the vocabulary; the most frequent: %s",
        name, 100 * unknown / tokens, shown([piece for piece, _ in pieces.most_common(10)], 10),
    )  # fmt: skip
