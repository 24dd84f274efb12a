"""The model card of a pre-training run, and its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import write_bytes, write_text
from bertwright.model.config import BertConfig
from bertwright.reports.markdown import evaluations, every_setting, table
from bertwright.reports.report import can_draw
from bertwright.runs.results import RunResult
from bertwright.wording import quoted


def write_pretrain_card(
    folder: Path, record: Mapping[str, Any], config: BertConfig, outcome: RunResult, rows: Sequence[Mapping[str, float]]
) -> None:
    """Write `README.md` and, where matplotlib is installed, `loss.png`.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    picture = ""
    if can_draw():
        from bertwright.reports.plots import png_of_curves

        measures = outcome.history[0].measures if outcome.history else {}
        curves = {name: [step.measures[name] for step in outcome.history] for name in measures}
        if "mlm_loss" not in curves:
            curves["mlm_loss"] = [step.loss for step in outcome.history]
        write_bytes(folder / "loss.png", png_of_curves(curves, rows))
        picture = "\n\n![losses and accuracies by step](loss.png)"
    write_text(folder / "README.md", _card(folder, record, config, outcome, rows) + picture + "\n")


def _card(
    folder: Path, record: Mapping[str, Any], config: BertConfig, outcome: RunResult, rows: Sequence[Mapping[str, float]]
) -> str:
    settings = record["settings"]
    scores = table(("metric", "value"), [(name, f"{value:.4f}") for name, value in outcome.best.scores.items()])
    return f"""---
library_name: transformers
pipeline_tag: fill-mask
tags: [bert, bertwright]
---

# {folder.resolve().name}

A BERT pre-trained with bertwright {record["bertwright_version"]} ({settings["objective"]}), {record["model"]}:
{config.num_hidden_layers} layers, {config.hidden_size} wide, {config.num_attention_heads} heads, {config.vocab_size}
tokens in the vocabulary. The model is in `best/`.

## Scores on held-out documents

The best of {len(rows)} evaluations, at step {outcome.best.step}.

{scores}

## Use

```
bertwright predict {quoted(folder)} "The capital of France is [MASK]."
bertwright finetune train.csv --model {quoted(folder / "best")} --out runs/first
```

## Training

{record["steps"]} steps, {record["train_tokens"]} tokens of the store `{record["store"]}`, \
{record["train_seconds"]:.0f} s in training on {record["device"]} \
({record["tokens_per_second"]:.0f} tokens/s), torch {record["torch_version"]}.{evaluations(rows)}

{every_setting(settings)}"""
