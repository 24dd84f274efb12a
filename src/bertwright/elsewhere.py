"""Names that programs for `transformers` import and that are not here: what is in their place, or where they are."""

from __future__ import annotations

import re

# What a class of this package does.
_OURS = {
    "AutoConfig": "BertConfig",
    "AutoTokenizer": "BertTokenizer",
    "AutoModel": "BertModel",
    "AutoModelForPreTraining": "BertForPreTraining",
    "AutoModelForMaskedLM": "BertForMaskedLM",
    "AutoModelForNextSentencePrediction": "BertForNextSentencePrediction",
    "AutoModelForSequenceClassification": "BertForSequenceClassification",
    "AutoModelForTokenClassification": "BertForTokenClassification",
    "AutoModelForQuestionAnswering": "BertForQuestionAnswering",
    "AutoModelForMultipleChoice": "BertForMultipleChoice",
    "AutoModelForSeq2SeqLM": "BertForSeq2SeqLM",
    "EncoderDecoderModel": "BertForSeq2SeqLM",
    "PreTrainedModel": "BertPreTrainedModel",
    "PretrainedConfig": "BertConfig",
    "PreTrainedConfig": "BertConfig",
    "PreTrainedTokenizer": "BertTokenizer",
    "PreTrainedTokenizerBase": "BertTokenizer",
    "PreTrainedTokenizerFast": "BertTokenizer",
    "pipeline": "Predictor",
}
# What other libraries have; their names here where they are others.
_OTHERS = {
    "AdamW": "from torch.optim import AdamW",
    "load_dataset": "from datasets import load_dataset",
    "Dataset": "from datasets import Dataset",
    "logging": "import logging",
    "Accelerator": "from accelerate import Accelerator",
    "LoraConfig": "from peft import LoraConfig",
    "get_peft_model": "from peft import get_peft_model",
}
# Parts of a model: those of this package take rows of real tokens, so that a program needs the others.
_PARTS = re.compile(
    r"Bert(Embeddings|Encoder|Layer|Attention|SelfAttention|CrossAttention|SelfOutput|Intermediate|Output|Pooler"
    r"|PredictionHeadTransform|LMPredictionHead|OnlyMLMHead|OnlyNSPHead|PreTrainingHeads)"
)
# What works with models of this package as it is, or is of another kind of model.
_OF_TRANSFORMERS = re.compile(
    r"((Seq2Seq)?Trainer|(Seq2Seq)?TrainingArguments|(Trainer|EarlyStopping|Printer|Progress)Callback"
    r"|TrainerControl|TrainerState|HfArgumentParser|IntervalStrategy|SchedulerType|EvalPrediction"
    r"|DataCollator\w*|default_data_collator|get_\w*(schedule|scheduler)\w*|set_seed|enable_full_determinism"
    r"|Auto\w+|BertLMHeadModel|BertGeneration\w*|GenerationConfig|BitsAndBytesConfig|Adafactor|is_\w+_available"
    r"|(Roberta|XLMRoberta|Electra|Albert|DistilBert|Deberta|DebertaV2|ModernBert|GPT2|T5|Bart)[A-Z]\w+)"
)


def import_of(name: str) -> str | None:
    """The line that imports what a program means by `name`; None where nobody knows."""
    if name in _OURS:
        return f"from bertwright import {_OURS[name]}"
    if _PARTS.fullmatch(name):
        return f"from transformers.models.bert.modeling_bert import {name}"
    return _OTHERS.get(name) or (f"from transformers import {name}" if _OF_TRANSFORMERS.fullmatch(name) else None)
