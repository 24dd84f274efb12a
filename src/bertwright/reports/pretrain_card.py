"""The model card of a pre-training run, and its curves."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertwright.checkpoint.folders import write_bytes, write_text
from bertwright.model.config import BertConfig
from bertwright.reports.markdown import evaluations, every_setting, place, table
from bertwright.reports.report import can_draw
from bertwright.runs.results import RunResult
from bertwright.wording import measure_name, quoted, said, worded

log = logging.getLogger("bertwright")


def write_pretrain_card(
    folder: Path, record: Mapping[str, Any], config: BertConfig, outcome: RunResult, rows: Sequence[Mapping[str, float]]
) -> None:
    """Write `README.md` and, where matplotlib is installed, `loss.png`.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    picture = ""
    if can_draw():
        from bertwright.reports.plot_words import font_remark
        from bertwright.reports.plots import png_of_curves

        measures = outcome.history[0].measures if outcome.history else {}
        curves = {name: [step.measures[name] for step in outcome.history] for name in measures}
        if "mlm_loss" not in curves:
            curves["mlm_loss"] = [step.loss for step in outcome.history]
        write_bytes(folder / "loss.png", png_of_curves(curves, rows))
        title = said("losses and accuracies by step")
        picture = f"\n\n![{title}](loss.png)"
        if remark := font_remark():
            log.info(remark)
            picture += f"\n\n{remark}"
    write_text(folder / "README.md", _card(folder, record, config, outcome, rows) + picture + "\n")


def _card(
    folder: Path, record: Mapping[str, Any], config: BertConfig, outcome: RunResult, rows: Sequence[Mapping[str, float]]
) -> str:
    settings = record["settings"]
    names = (said("metric"), said("value"))
    scores = table(names, [(measure_name(name), f"{value:.4f}") for name, value in outcome.best.scores.items()])
    what = said(
        "A BERT pre-trained with bertwright {version} ({objective}), {start}: {layers} layers, {width} wide, {heads} "
        "heads, {tokens} tokens in the vocabulary. The model is in `best/`.",
        version=record["bertwright_version"], objective=settings["objective"], start=place(worded(record["model"])),
        layers=config.num_hidden_layers, width=config.hidden_size, heads=config.num_attention_heads,
        tokens=config.vocab_size,
    )  # fmt: skip
    chosen = said("The best of {n} evaluations, at step {step}.", n=len(rows), step=outcome.best.step)
    cost = said(
        "{steps} steps, {tokens} tokens of the store `{store}`, {seconds:.0f} s in training on {device} ({rate:.0f} "
        "tokens/s), torch {torch}.",
        steps=record["steps"], tokens=record["train_tokens"], store=place(record["store"]),
        seconds=record["train_seconds"], device=record["device"], rate=record["tokens_per_second"],
        torch=record["torch_version"],
    )  # fmt: skip
    run, text = place(str(folder)), said("The capital of France is [MASK].")
    return f"""---
library_name: transformers
pipeline_tag: fill-mask
tags: [bert, bertwright]
---

# {folder.resolve().name}

{what}

## {said("Scores on held-out documents")}

{chosen}

{scores}

## {said("Use")}

```
bertwright predict {quoted(run)} {quoted(text)}
bertwright finetune train.csv --model {quoted(run + "/best")} --out runs/first
```

## {said("Training")}

{cost}{evaluations(rows)}

{every_setting(settings)}"""
