"""Words that people bring from other toolkits, and what they are called here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from bertwright.errors import nearest

# Each word: what it may be here, in the order of trying; a word with dashes is an option of the command line.
_HABITS: dict[str, tuple[str, ...]] = {
    "learning_rate": ("学习率", "lr", "rate", "base_lr", "max_lr", "peak_lr", "learningrate", "lr_rate"),
    "epochs": (
        "轮数", "训练轮数", "轮次", "num_train_epochs", "num_epochs", "n_epochs", "epoch", "max_epochs", "train_epochs",
    ),
    "batch_size": ("批大小", "批量", "批次大小",
        "bs", "batch", "batchsize", "per_device_train_batch_size", "train_batch_size",
        "per_gpu_train_batch_size", "mini_batch_size",
    ),
    "batch_tokens": (
        "batch_size", "bs", "batch", "batchsize", "per_device_train_batch_size", "train_batch_size",
        "per_gpu_train_batch_size",
    ),
    "max_length": ("最大长度", "长度",
        "max_len", "maxlen", "max_seq_length", "max_seq_len", "seq_len", "seq_length", "sequence_length",
        "max_sequence_length", "block_size",
    ),
    "weight_decay": ("权重衰减", "wd", "l2", "decay_rate"),
    "warmup": ("预热", "warmup_ratio", "warmup_proportion", "warmup_steps", "num_warmup_steps", "warmup_share"),
    "schedule": ("lr_scheduler", "lr_scheduler_type", "scheduler"),
    "optimizer": ("optim", "opt"),
    "precision": ("fp16", "bf16", "amp", "mixed_precision", "dtype", "half"),
    "dropout": ("丢弃率", "drop", "hidden_dropout_prob", "dropout_prob", "dropout_rate"),
    "max_grad_norm": (
        "clip", "grad_clip", "gradient_clip", "clip_norm", "clip_grad_norm", "gradient_clip_val",
    ),
    "micro_tokens": (
        "gradient_accumulation_steps", "grad_accum", "accumulation_steps", "accumulate_grad_batches",
    ),
    "patience": ("early_stopping", "early_stopping_patience", "early_stop"),
    "eval_steps": ("eval_every", "logging_steps", "evaluation_strategy", "eval_strategy", "eval_interval"),
    "save_steps": ("save_every", "save_strategy", "save_interval"),
    "seed": ("种子", "随机种子", "random_seed", "random_state", "rng"),
    "max_steps": ("步数", "最大步数", "steps", "num_steps", "max_train_steps", "total_steps", "train_steps"),
    "dev_share": (
        "val_split", "validation_split", "test_size", "valid_split", "dev_split", "val_ratio", "dev_ratio",
        "split",
    ),
    "class_weight": ("class_weights", "weights", "weighted"),
    "freeze": ("freeze_layers", "freeze_encoder", "num_freeze_layers"),
    "layer_decay": ("llrd", "layerwise_lr_decay", "lr_decay"),
    "mask_share": ("mlm_probability", "mlm_prob", "masked_lm_prob", "mask_prob", "mask_ratio"),
    "num_beams": ("beams", "beam_size"),
    "masking": ("wwm", "whole_word_mask", "whole_word_masking"),
    "workers": ("num_workers", "dataloader_num_workers", "n_jobs", "num_proc"),
    "--device": ("设备", "显卡", "device", "gpu", "gpus", "cuda", "use_gpu", "no_cuda", "accelerator", "n_gpu"),
    "--model": ("模型",
        "model", "m", "model_name", "model_name_or_path", "pretrained", "pretrained_model", "bert_model",
        "checkpoint", "model_path", "bert",
    ),
    "--out": ("输出",
        "o", "out", "output", "output_dir", "outdir", "save_dir", "save_to", "out_dir", "output_path",
        "save_path",
    ),
    "--output": ("o", "out", "output_file", "output_dir", "save", "outfile", "out_file"),
    "--dev": ("验证集", "验证",
        "d", "dev", "val", "valid", "validation", "eval", "dev_file", "validation_file", "valid_file",
        "eval_file", "val_file", "dev_data", "eval_data", "test", "test_file",
    ),
    "--input": ("i", "file", "data", "data_file", "input_file", "test_file", "data_path", "texts"),
    "--task": ("任务", "task", "task_name", "problem_type"),
    "--text-column": ("文本列", "text", "text_field", "text_col", "sentence1_key", "column"),
    "--label-column": ("标签列", "标签", "label", "label_field", "label_col", "target_column", "y"),
    "--size": ("vocab_size", "vocabulary_size"),
    "--json": ("j", "as_json"),
    "--overwrite": ("f", "force", "overwrite_output_dir", "y", "yes"),
    "--resume": ("resume", "resume_from_checkpoint", "continue"),
    "--seeds": ("n_seeds", "runs", "repeat"),
    "--recipe": ("config", "config_file", "c", "settings"),
    "--lang": ("language", "l", "locale"),
}  # fmt: skip
_WITH_VALUES = {"fp16": "precision=bf16", "bf16": "precision=bf16", "amp": "precision=bf16", "half": "precision=bf16",
                "gpu": "--device cuda", "gpus": "--device cuda", "cuda": "--device cuda", "use_gpu": "--device cuda",
                "no_cuda": "--device cpu", "wwm": "masking=word", "whole_word_mask": "masking=word",
                "whole_word_masking": "masking=word"}  # fmt: skip
_VERBS: dict[str, tuple[str, ...]] = {
    "finetune": (
        "train", "fine-tune", "fine_tune", "fit", "learn", "ft", "tune", "training", "训练", "微调", "sft",
    ),
    "evaluate": ("test", "eval", "score", "validate", "evaluation", "metrics", "评估", "评测", "测试"),
    "predict": (
        "infer", "inference", "classify", "run", "answer", "generate", "pred", "prediction", "fill-mask",
        "预测", "推理",
    ),
    "pretrain": ("pre-train", "pre_train", "mlm", "train-mlm", "预训练"),
    "vocab": ("vocabulary", "tokenizer", "train-tokenizer", "wordpiece", "make-vocab", "build-vocab", "词表"),
    "prepare": ("preprocess", "prep", "process", "tokenize-corpus", "准备"),
    "inspect": ("tokenize", "analyze", "analyse", "check", "stats", "look", "view", "检查", "查看", "分词"),
    "export": ("save", "convert-model", "to-huggingface", "导出"),
    "convert-data": ("convert", "转换"),
    "doctor": ("info", "env", "diagnose", "devices", "诊断"),
    "demo": ("example", "try", "quickstart", "演示", "hello"),
    "compare": ("diff", "vs", "比较", "对比"),
    "--help": ("help", "-?", "帮助", "man", "usage"),
    "--version": ("version", "ver", "-v", "-V", "版本"),
}  # fmt: skip


def habit(word: str, known: Iterable[str] = ()) -> str:
    """What a word of other toolkits is called among `known` (not given: the options of all commands), or nothing."""
    plain = word.lower().strip("-").replace("-", "_")
    names = set(known) or {own for own in _HABITS if own.startswith("--")}
    for own, theirs in _HABITS.items():
        if plain in theirs and own in names:
            value = _WITH_VALUES.get(plain, "")
            return value if value.startswith(own) else own
    return ""


def verb_for(word: str, known: Iterable[str]) -> str:
    """The verb (or option of the program) that a word means, or an empty string."""
    plain = unicodedata.normalize("NFKC", word).lower()
    return next((own for own, theirs in _VERBS.items() if plain in theirs), "") or nearest(plain, known)
