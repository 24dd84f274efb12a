"""Bertwright: one toolkit for the whole life of a BERT, in Chinese and English.

Names are imported when first asked for, so that `import bertwright` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bertwright.version import __version__

if TYPE_CHECKING:
    from bertwright.corpus.prepare import prepare_corpus as prepare  # noqa: F401
    from bertwright.errors import BertwrightError as BertwrightError
    from bertwright.inference.compare import compare as compare
    from bertwright.inference.evaluate import evaluate as evaluate
    from bertwright.inference.predictor import Predictor as Predictor
    from bertwright.model.bert_pretrained import BertPreTrainedModel as BertPreTrainedModel
    from bertwright.model.config import BertConfig as BertConfig
    from bertwright.model.models import BertForMultipleChoice as BertForMultipleChoice
    from bertwright.model.models import BertForQuestionAnswering as BertForQuestionAnswering
    from bertwright.model.models import BertForSequenceClassification as BertForSequenceClassification
    from bertwright.model.models import BertForTokenClassification as BertForTokenClassification
    from bertwright.model.models import BertModel as BertModel
    from bertwright.model.pointer import BertForSpanPointing as BertForSpanPointing
    from bertwright.model.pretraining_models import BertForMaskedLM as BertForMaskedLM
    from bertwright.model.pretraining_models import BertForNextSentencePrediction as BertForNextSentencePrediction
    from bertwright.model.pretraining_models import BertForPreTraining as BertForPreTraining
    from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM as BertForSeq2SeqLM
    from bertwright.model.tagger import BertCrfForTokenClassification as BertCrfForTokenClassification
    from bertwright.tasks.data_inspection import inspect as inspect
    from bertwright.text.tokenizer.batch_encoding import BatchEncoding as BatchEncoding
    from bertwright.text.tokenizer.tokenizer import BertTokenizer as BertTokenizer
    from bertwright.text.tokenizer.tokenizer import BertTokenizerFast as BertTokenizerFast
    from bertwright.training.finetuning.finetune import finetune as finetune
    from bertwright.training.finetuning.finished_run import Run as Run
    from bertwright.training.pretraining.pretrain import pretrain as pretrain

_HOME = {
    "BertwrightError": "errors",
    "BertTokenizer": "text.tokenizer.tokenizer",
    "BertTokenizerFast": "text.tokenizer.tokenizer",
    "BatchEncoding": "text.tokenizer.batch_encoding",
    "BertConfig": "model.config",
    "BertModel": "model.models",
    "BertPreTrainedModel": "model.bert_pretrained",
    "BertForPreTraining": "model.pretraining_models",
    "BertForMaskedLM": "model.pretraining_models",
    "BertForNextSentencePrediction": "model.pretraining_models",
    "BertForSequenceClassification": "model.models",
    "BertForTokenClassification": "model.models",
    "BertCrfForTokenClassification": "model.tagger",
    "BertForSpanPointing": "model.pointer",
    "BertForSeq2SeqLM": "model.seq2seq.encoder_decoder",
    "BertForQuestionAnswering": "model.models",
    "BertForMultipleChoice": "model.models",
    "Run": "training.finetuning.finished_run",
    "inspect": "tasks.data_inspection",
    "finetune": "training.finetuning.finetune",
    "evaluate": "inference.evaluate",
    "compare": "inference.compare",
    "prepare": "corpus.prepare",
    "pretrain": "training.pretraining.pretrain",
    "Predictor": "inference.predictor",
}

_ELSEWHERE = {"prepare": "prepare_corpus"}  # what a name is called in its home

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """A name from its home.

    Raises:
        BertwrightError: BW319 a name of `transformers`, which is not here: an `ImportError`, for only what is none of
            the kind `AttributeError` is shown by `from bertwright import …`.
    """
    if name not in _HOME:
        from bertwright.elsewhere import import_of

        if line := import_of(name):
            from bertwright.errors import BertwrightError

            raise BertwrightError("BW319", name=name, line=line)
        raise AttributeError(f"module 'bertwright' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bertwright.{_HOME[name]}"), _ELSEWHERE.get(name, name))


def __dir__() -> list[str]:
    return sorted(__all__)
