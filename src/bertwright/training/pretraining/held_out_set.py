"""Held-out documents, asked how well the model finds masked tokens in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from bertwright.corpus.drawing.sampler import PretrainExample
from bertwright.machine.precision import autocast
from bertwright.model.pretraining_models import BertForMaskedLM
from bertwright.runs.results import DevScores
from bertwright.tasks.pretraining import collate
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.lesson import Lesson
from bertwright.training.pretraining.pretrain_steps import make_parts
from bertwright.wording import said

_TOKENS_A_BATCH = 8192
_TOKENS_SHOWN = 40


class HeldOut:
    """Called, it judges the model as it is then; the same examples with the same masks each time."""

    def __init__(self, lesson: Lesson, examples: Sequence[PretrainExample], tokenizer: BertTokenizer) -> None:
        self._lesson, self._examples, self._tokenizer = lesson, examples, tokenizer
        self._calls = 0

    def __call__(self) -> DevScores:
        """Accuracies, losses and the perplexity of masked tokens, and one text with what the model put in."""
        model, sums = self._lesson.model, dict[str, float]()
        was_training = model.training
        model.eval()
        try:
            with torch.inference_mode():
                for part in make_parts(self._examples, _TOKENS_A_BATCH):
                    for name, value in self._lesson(part.batch, part.targets, part.weights).items():
                        sums[name] = sums.get(name, 0.0) + float(value)
                example = self._examples[self._calls % len(self._examples)]
                with autocast(self._lesson.precision, model.device):
                    remark = self._filled(example)
        finally:
            model.train(was_training)
        self._calls += 1
        loss = sums.pop("loss")
        mlm = sums.pop("mlm_loss", loss)
        scores = {"mlm_loss": mlm, "mlm_perplexity": math.exp(min(mlm, 50.0))}
        return DevScores(scores | sums, remarks=[remark])

    def _filled(self, example: PretrainExample) -> str:
        """The beginning of an example with `[found]`, or `[found, not true]`, at the masked places."""
        model = self._lesson.model
        assert isinstance(model, BertForMaskedLM)
        batch, targets = collate([example], 1.0)
        batch, targets = batch.to(model.device), targets.to(model.device)
        found = model.predict(model.bert.encode(batch).last[targets.places]).argmax(-1).tolist()
        ids = example.input_ids.astype(int).tolist()
        words = self._tokenizer.convert_ids_to_tokens(ids)
        pairs = zip(example.masked_positions.tolist(), found, example.labels.tolist())
        for place, guess, true in pairs:
            guessed, gold = self._tokenizer.convert_ids_to_tokens([guess, true])
            words[place] = f"[{gold}]" if guess == true else said("[{found}, not {true}]", found=guessed, true=gold)
        return "  " + " ".join(words[:_TOKENS_SHOWN]) + (" …" if len(words) > _TOKENS_SHOWN else "")
