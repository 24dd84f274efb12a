"""The libraries around: Trainer, collators, peft, captum, datasets, and what draws attention maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from tests.programs.place import LABELS, PAIRS, TEXTS, Place, alike, classifier


class _Texts(Dataset):
    def __init__(self, place: Place, **more: Any) -> None:
        tokenizer = place.tokenizer.from_pretrained(place.base)
        self.rows = [
            {**tokenizer(text, truncation=True), "labels": label, **more} for text, label in zip(TEXTS, LABELS)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


def _arguments(place: Place, folder: str = "out", **more: Any) -> Any:
    from transformers import TrainingArguments

    settings: dict[str, Any] = {
        "output_dir": str(place.scratch / folder),
        "per_device_train_batch_size": 2,
        "max_steps": 4,
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "seed": 3,
    }
    return TrainingArguments(**settings | more)


def _trainer(lib: Any, place: Place, arguments: Any, **more: Any) -> Any:
    from transformers import DataCollatorWithPadding, Trainer

    tokenizer, data = place.tokenizer.from_pretrained(place.base), _Texts(place)
    model = more.pop("model", None) or classifier(lib, place)
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        eval_dataset=data,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        **more,
    )


def _losses(trainer: Any) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def the_trainer_with_metrics(lib: Any, place: Place) -> Any:
    def compute_metrics(eval_pred: Any) -> dict[str, float]:
        logits, labels = eval_pred
        return {"accuracy": float((np.argmax(logits, axis=-1) == labels).mean())}

    trainer = _trainer(
        lib, place, _arguments(place, eval_strategy="steps", eval_steps=2), compute_metrics=compute_metrics
    )
    trainer.train()
    found, predicted = trainer.evaluate(), trainer.predict(_Texts(place))
    history = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    return _losses(trainer), history, found["eval_accuracy"], predicted.predictions, trainer.state.total_flos


def the_trainer_saves_and_goes_on(lib: Any, place: Place) -> Any:
    whole = _trainer(lib, place, _arguments(place, "whole", save_strategy="steps", save_steps=2))
    whole.train()
    again = _trainer(lib, place, _arguments(place, "whole"))
    again.train(resume_from_checkpoint=str(place.scratch / "whole" / "checkpoint-2"))
    reloaded = lib.BertForSequenceClassification.from_pretrained(place.scratch / "whole" / "checkpoint-4")
    batch = place.read(TEXTS)
    files = {path.name for path in (place.scratch / "whole" / "checkpoint-4").iterdir()}
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "trainer_state.json", "optimizer.pt"}
    return _losses(whole), again.model.eval()(**batch).logits, reloaded(**batch).logits, sorted(wanted - files)


def the_trainer_keeps_the_best(lib: Any, place: Place) -> Any:
    options: Any = {
        "eval_strategy": "steps", "eval_steps": 1, "save_strategy": "steps", "save_steps": 1, "save_total_limit": 1,
        "load_best_model_at_end": True, "metric_for_best_model": "loss", "learning_rate": 0.1,
    }  # fmt: skip
    from transformers import EarlyStoppingCallback

    trainer = _trainer(lib, place, _arguments(place, **options), callbacks=[EarlyStoppingCallback(2)])
    trainer.train()
    trainer.save_model(str(place.scratch / "best"))
    best = lib.BertForSequenceClassification.from_pretrained(place.scratch / "best")
    return trainer.state.best_metric, trainer.state.global_step, best(**place.read(TEXTS)).logits


def the_trainer_with_callbacks(lib: Any, place: Place) -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **rest: Any) -> None:
            self.seen.append((state.global_step, float(model.classifier.weight.norm()), type(model).__name__))
            control.should_training_stop = state.global_step == 3

    watch = Watch()
    _trainer(lib, place, _arguments(place), callbacks=[watch]).train()
    return watch.seen


def the_trainer_with_a_loss_of_ones_own(lib: Any, place: Place) -> Any:
    from transformers import DataCollatorWithPadding, Trainer

    class Weighted(Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, *_: Any, **rest: Any) -> Any:
            labels = inputs.pop("labels")
            outputs = model(**inputs)
            loss = nn.CrossEntropyLoss(weight=torch.tensor([0.2, 0.8]))(outputs.get("logits"), labels)
            return (loss, outputs) if return_outputs else loss

    tokenizer = place.tokenizer.from_pretrained(place.base)
    trainer = Weighted(
        model=classifier(lib, place),
        args=_arguments(place),
        train_dataset=_Texts(place),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    return _losses(trainer)


def the_trainer_starts_a_model_itself(lib: Any, place: Place) -> Any:
    """`model_init`, smoothed labels, gradient checkpointing, and groups without decay."""
    from transformers import DataCollatorWithPadding, Trainer

    tokenizer = place.tokenizer.from_pretrained(place.base)
    trainer = Trainer(
        model_init=lambda: classifier(lib, place),
        args=_arguments(place, label_smoothing_factor=0.1, gradient_checkpointing=True, max_grad_norm=0.5),
        train_dataset=_Texts(place),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    decays = [
        (group["weight_decay"], sum(p.numel() for p in group["params"]))
        for group in cast(Any, trainer.optimizer).param_groups
    ]
    return _losses(trainer), decays


def the_trainer_trains_a_masked_language_model(lib: Any, place: Place) -> Any:
    from transformers import DataCollatorForLanguageModeling, Trainer

    tokenizer = place.tokenizer.from_pretrained(place.base)
    collator = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm_probability=0.3, seed=5)
    model = lib.BertForMaskedLM.from_pretrained(place.base)
    rows = [dict(tokenizer(text)) for text in TEXTS]
    trainer = Trainer(model=model, args=_arguments(place), train_dataset=rows, data_collator=collator)
    trainer.train()
    trainer.save_model(str(place.scratch / "mlm"))
    again = lib.BertForMaskedLM.from_pretrained(place.scratch / "mlm")
    batch = place.read(TEXTS)
    return _losses(trainer), again(**batch).logits * batch["attention_mask"].unsqueeze(-1)


def the_trainer_trains_a_tagger_and_a_reader(lib: Any, place: Place) -> Any:
    """Token classification and question answering; unused columns are taken away by the signature."""
    from datasets import Dataset as Table
    from transformers import DataCollatorForTokenClassification, Trainer, default_data_collator

    tokenizer = place.tokenizer.from_pretrained(place.base)
    rows = [{**tokenizer(text), "words": text} for text in TEXTS]
    for row in rows:
        row["labels"] = [-100, *[i % 3 for i in row["input_ids"][1:-1]], -100]
    tagger = Trainer(
        model=alike(lib.BertForTokenClassification.from_pretrained(place.base, num_labels=3)),
        args=_arguments(place, "tagger"),
        train_dataset=Table.from_list(rows),
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    tagger.train()
    pairs = tokenizer(*zip(*PAIRS), padding=True)
    table = Table.from_dict({**pairs, "start_positions": [6, 7, 8], "end_positions": [7, 8, 9], "id": ["a", "b", "c"]})
    reader = Trainer(
        model=alike(lib.BertForQuestionAnswering.from_pretrained(place.base)),
        args=_arguments(place, "reader"),
        train_dataset=table,
        eval_dataset=table,
        data_collator=default_data_collator,
    )
    reader.train()
    return _losses(tagger), _losses(reader), reader.evaluate()["eval_loss"], reader.label_names


def low_rank_adapters(lib: Any, place: Place) -> Any:
    """peft: LoRA by the usual names; trained, saved, loaded, merged."""
    from peft import LoraConfig, PeftModel, TaskType, get_peft_model

    settings: Any = {"r": 2, "lora_alpha": 4, "lora_dropout": 0.0, "target_modules": ["query", "value"]}
    model = get_peft_model(classifier(lib, place), LoraConfig(task_type=TaskType.SEQ_CLS, **settings))
    counts = model.get_nb_trainable_parameters()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.cos(torch.arange(parameter.numel())).view_as(parameter) * 0.1)
    batch, losses = place.read(TEXTS), []
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        loss = model(**batch, labels=place.labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.save_pretrained(str(place.scratch / "adapter"))
    loaded = PeftModel.from_pretrained(classifier(lib, place), str(place.scratch / "adapter")).eval()
    again = loaded(**batch).logits
    merged = loaded.merge_and_unload()
    merged.save_pretrained(place.scratch / "merged")
    plain = lib.BertForSequenceClassification.from_pretrained(place.scratch / "merged")
    from safetensors.torch import load_file

    names = sorted(load_file(place.scratch / "adapter" / "adapter_model.safetensors"))
    return counts, losses, again, merged(**batch).logits, plain(**batch).logits, names


def an_adapter_of_the_other_library(lib: Any, place: Place) -> Any:
    """An adapter trained with one library on a model of the other."""
    from peft import LoraConfig, PeftModel, get_peft_model

    from tests.programs.place import other

    def adapted(kind: Any) -> Any:
        return get_peft_model(kind.BertModel.from_pretrained(place.base), LoraConfig(r=2, init_lora_weights=False))

    torch.manual_seed(2)
    model = adapted(other(lib))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.sin(torch.arange(parameter.numel())).view_as(parameter) * 0.2)
    model.save_pretrained(str(place.scratch / "adapter"))
    mine = PeftModel.from_pretrained(lib.BertModel.from_pretrained(place.base), str(place.scratch / "adapter"))
    return mine.eval()(**place.read(TEXTS)).pooler_output


def adapters_switched_on_and_off(lib: Any, place: Place) -> Any:
    """Two adapters, one disabled, all linear layers, and the trainer over them."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    settings = LoraConfig(r=2, target_modules="all-linear", task_type="SEQ_CLS", init_lora_weights=True)
    model, batch = get_peft_model(classifier(lib, place), settings), place.read(TEXTS)
    start = model(**batch).logits.detach()
    trainer = _trainer(
        lib, place, _arguments(place, learning_rate=0.0, save_strategy="steps", save_steps=4), model=model
    )
    trainer.train()
    with model.disable_adapter():
        off = model(**batch).logits
    saved = sorted(path.name for path in Path(place.scratch, "out", "checkpoint-4").iterdir())
    kinds = sorted({name.rsplit(".lora_A", 1)[0].rsplit(".", 1)[1] for name in model.state_dict() if "lora_A" in name})
    return start, off, "adapter_model.safetensors" in saved, kinds


def attributions_on_embeddings(lib: Any, place: Place) -> Any:
    """captum's tutorial: LayerIntegratedGradients on `bert.embeddings`."""
    from captum.attr import LayerIntegratedGradients

    model = classifier(lib, place).eval()
    tokenizer = place.tokenizer.from_pretrained(place.base)
    ids = tokenizer(TEXTS[1], return_tensors="pt")["input_ids"]
    base = torch.full_like(ids, tokenizer.pad_token_id)
    base[0, 0], base[0, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id
    mask = torch.ones_like(ids)

    def forward(inputs: Any, attention_mask: Any = None) -> Any:
        return model(inputs, attention_mask=attention_mask).logits.softmax(-1)[:, 0]

    explained = LayerIntegratedGradients(forward, model.bert.embeddings)
    attributions, delta = explained.attribute(
        inputs=ids, baselines=base, additional_forward_args=(mask,), n_steps=8, return_convergence_delta=True
    )
    scores = attributions.sum(dim=-1).squeeze(0)
    return scores / torch.norm(scores), delta


def attributions_on_the_table_of_words(lib: Any, place: Place) -> Any:
    from captum.attr import InputXGradient, LayerActivation, LayerIntegratedGradients

    model = classifier(lib, place).eval()
    ids = place.read(TEXTS[1])["input_ids"]
    words = LayerIntegratedGradients(lambda inputs: model(inputs).logits[:, 1], model.bert.embeddings.word_embeddings)
    scores = words.attribute(ids, baselines=torch.zeros_like(ids), n_steps=6).sum(-1).squeeze(0)
    pooled = LayerActivation(lambda inputs: model(inputs).logits, model.bert.pooler).attribute(ids)
    embedded = model.bert.embeddings.word_embeddings(ids).detach()
    by_input = InputXGradient(lambda inputs: model(inputs_embeds=inputs).logits[:, 1]).attribute(embedded)
    return scores, pooled, by_input.sum(-1)


def gradients_of_inputs(lib: Any, place: Place) -> Any:
    """Saliency by `inputs_embeds`, without a library."""
    model, batch = classifier(lib, place).eval(), place.read(TEXTS[0])
    embedded = model.get_input_embeddings()(batch["input_ids"]).detach().requires_grad_()
    model(inputs_embeds=embedded, attention_mask=batch["attention_mask"]).logits[0, 1].backward()
    return embedded.grad.norm(dim=-1), (embedded.grad * embedded).sum(-1)


def views_of_attention(lib: Any, place: Place) -> Any:
    """What bertviz's head view and model view take: maps `[B, A, S, S]`, tokens, where the second text begins."""
    model = lib.BertModel.from_pretrained(place.base, output_attentions=True, attn_implementation="eager").eval()
    tokenizer = place.tokenizer.from_pretrained(place.base)
    inputs = tokenizer.encode_plus(*PAIRS[0], return_tensors="pt", add_special_tokens=True)
    attention = model(inputs["input_ids"], token_type_ids=inputs["token_type_ids"]).attentions
    squeezed = torch.stack([layer.squeeze(0) for layer in attention])
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
    begin = inputs["token_type_ids"][0].tolist().index(1)
    return len(attention), squeezed, squeezed.sum(-1), tokens, begin


def attention_rollout(lib: Any, place: Place) -> Any:
    """Abnar and Zuidema 2020, over a padded batch: heads averaged, the residual added, layers multiplied."""
    model = classifier(lib, place, attn_implementation="eager").eval()
    batch = place.read(TEXTS)
    maps = model(**batch, output_attentions=True).attentions
    mask = batch["attention_mask"].float()
    rolled = torch.eye(mask.shape[1]).expand(len(TEXTS), -1, -1)
    for layer in maps:
        mean = layer.mean(1) * mask[:, :, None] + torch.eye(mask.shape[1])
        rolled = (mean / mean.sum(-1, keepdim=True)) @ rolled
    return rolled[:, 0]


def queries_and_keys_by_hooks(lib: Any, place: Place) -> Any:
    """What the neuron view draws: the products of one text, caught where they are made."""
    model, caught = lib.BertModel.from_pretrained(place.base).eval(), dict[str, Any]()
    for name in ("query", "key"):
        module = getattr(model.encoder.layer[1].attention.self, name)
        module.register_forward_hook(lambda m, i, o, name=name: caught.__setitem__(name, o.detach()))
    output = model(**place.read(TEXTS[0]))
    query, key = (caught[name].view(-1, 4, 8).transpose(0, 1) for name in ("query", "key"))
    return (query @ key.transpose(1, 2) / 8**0.5).softmax(-1), output.pooler_output


def tables_of_datasets(lib: Any, place: Place) -> Any:
    """`datasets.map(tokenizer)`, `set_format`, and a loader."""
    from datasets import Dataset as Table
    from torch.utils.data import DataLoader

    tokenizer = place.tokenizer.from_pretrained(place.base)
    table = Table.from_dict({"text": TEXTS, "label": LABELS})
    table = table.map(
        lambda rows: tokenizer(rows["text"], padding="max_length", truncation=True, max_length=12), batched=True
    )
    table = table.rename_column("label", "labels").remove_columns(["text"])
    table.set_format("torch")
    model = classifier(lib, place)
    losses = [model(**batch).loss.item() for batch in DataLoader(table, batch_size=2)]
    return sorted(table.column_names), table[0]["input_ids"], losses


def a_whole_glue_script(lib: Any, place: Place) -> Any:
    """The course's chapter: map, collate, train, evaluate, over a DatasetDict of pairs."""
    from datasets import Dataset as Table
    from datasets import DatasetDict
    from transformers import DataCollatorWithPadding, Trainer

    tokenizer = place.tokenizer.from_pretrained(place.base)
    part = Table.from_dict({"sentence1": [a for a, _ in PAIRS], "sentence2": [b for _, b in PAIRS], "label": [1, 0, 0]})
    raw = DatasetDict({"train": part, "validation": part})

    def tokenize_function(example: Any) -> Any:
        return tokenizer(example["sentence1"], example["sentence2"], truncation=True)

    tokenized = raw.map(tokenize_function, batched=True)
    trainer = Trainer(
        classifier(lib, place),
        _arguments(place, num_train_epochs=1, max_steps=-1, eval_strategy="epoch"),
        train_dataset=tokenized["train"],
        eval_dataset=tokenized["validation"],
        data_collator=DataCollatorWithPadding(tokenizer=tokenizer),
    )
    trainer.train()
    return _losses(trainer), trainer.predict(tokenized["validation"]).predictions
