"""Models that are made, saved, loaded, copied, converted."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import torch
from torch import nn

from tests.programs.place import SHAPE, TEXTS, VOCABULARY, Place, alike, classifier, other


def saved_here_and_loaded_there(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place, 3), place.read(TEXTS)
    model.save_pretrained(place.scratch / "model")
    there = other(lib).BertForSequenceClassification.from_pretrained(place.scratch / "model").eval()
    encoder = other(lib).BertModel.from_pretrained(place.scratch / "model")
    return model(**batch).logits, there(**batch).logits, encoder(**batch).pooler_output, there.config.num_labels


def a_state_taken_strictly_by_the_other_library(lib: Any, place: Place) -> Any:
    model, batch = lib.BertForMaskedLM.from_pretrained(place.base), place.read(TEXTS)
    config = other(lib).BertConfig.from_pretrained(place.base)
    there = other(lib).BertForMaskedLM(config).eval()
    said = str(there.load_state_dict(model.state_dict()))
    mask = batch["attention_mask"].unsqueeze(-1)
    return said, there(**batch).logits * mask


def a_state_filtered_by_the_names_of_the_model(lib: Any, place: Place) -> Any:
    """`pretrained = {k: v for k, v in state.items() if k in model_dict}`."""
    torch.save(other(lib).BertModel.from_pretrained(place.base).state_dict(), place.scratch / "encoder.pt")
    model = lib.BertModel(lib.BertConfig.from_pretrained(place.base)).eval()
    state, model_dict = torch.load(place.scratch / "encoder.pt"), model.state_dict()
    pretrained = {k: v for k, v in state.items() if k in model_dict and v.shape == model_dict[k].shape}
    model_dict.update(pretrained)
    model.load_state_dict(model_dict)
    return len(pretrained), model(**place.read(TEXTS)).pooler_output


def a_state_of_another_head(lib: Any, place: Place) -> Any:
    """Not strict: what fits is taken, what does not is told."""
    source = classifier(lib, place, 3)
    model = alike(lib.BertForTokenClassification(lib.BertConfig.from_pretrained(place.base, num_labels=3)))
    found = model.load_state_dict(source.state_dict(), strict=False)
    return sorted(found.missing_keys), sorted(found.unexpected_keys), model(**place.read(TEXTS[:1])).logits


def a_state_under_another_prefix(lib: Any, place: Place) -> Any:
    """Saved from a `DataParallel`, or a module of one's own: the prefix is cut off by hand."""
    model = nn.DataParallel(lib.BertModel.from_pretrained(place.base))
    torch.save({"state_dict": model.state_dict(), "epoch": 3}, place.scratch / "checkpoint.tar")
    saved = torch.load(place.scratch / "checkpoint.tar", map_location="cpu")
    state = {name.replace("module.", ""): tensor for name, tensor in saved["state_dict"].items()}
    fresh = lib.BertModel(lib.BertConfig.from_pretrained(place.base)).eval()
    fresh.load_state_dict(state)
    return saved["epoch"], fresh(**place.read(TEXTS)).pooler_output


def a_training_saved_and_gone_on_with(lib: Any, place: Place) -> Any:
    """Model, optimizer and scheduler in one file of torch."""

    def make() -> tuple[Any, Any]:
        model = classifier(lib, place).train()
        return model, torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step(model: Any, optimizer: Any) -> float:
        loss = model(**batch, labels=place.labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    batch = place.read(TEXTS)
    model, optimizer = make()
    step(model, optimizer)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, place.scratch / "last.pt")
    through = [step(model, optimizer) for _ in range(2)]
    model, optimizer = make()
    last = torch.load(place.scratch / "last.pt")
    model.load_state_dict(last["model"])
    optimizer.load_state_dict(last["optimizer"])
    again = [step(model, optimizer) for _ in range(2)]
    return through, again


def a_model_saved_whole(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    torch.save(model, place.scratch / "model.pt")
    whole = torch.load(place.scratch / "model.pt", weights_only=False)
    return whole(**batch).logits, pickle.loads(pickle.dumps(model))(**batch).logits


def a_model_copied(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    twin = copy.deepcopy(model)
    model.bert.pooler.dense.weight.data.zero_()
    return twin(**batch).logits, model(**batch).logits, twin.config.to_dict() == model.config.to_dict()


def a_model_from_a_config(lib: Any, place: Place) -> Any:
    torch.manual_seed(1)
    config = lib.BertConfig(vocab_size=len(VOCABULARY), num_labels=3, **SHAPE)
    model = lib.BertForSequenceClassification(config)
    sizes = {
        name: list(parameter.shape) for name, parameter in model.named_parameters() if "attention.self" not in name
    }
    spread = [model.bert.embeddings.word_embeddings.weight.std(), model.classifier.weight.std()]
    return sizes, [round(float(one), 2) for one in spread], model.num_parameters(), model.training


def a_config_in_a_file(lib: Any, place: Place) -> Any:
    """`bert_config.json` of the first releases."""
    file = place.scratch / "bert_config.json"
    file.write_text(json.dumps({**SHAPE, "vocab_size": 61, "hidden_act": "relu", "type_vocab_size": 2}))
    config = lib.BertConfig.from_json_file(str(file))
    again = lib.BertConfig(**json.loads(config.to_json_string(use_diff=False)))
    config.save_pretrained(place.scratch / "config")
    third = lib.BertConfig.from_pretrained(place.scratch / "config")
    chosen = ("vocab_size", "hidden_act", "hidden_size", "num_hidden_layers", "layer_norm_eps")
    return [[config.to_dict()[key] for config in (config, again, third)] for key in chosen]


def a_config_that_is_changed(lib: Any, place: Place) -> Any:
    config = lib.BertConfig.from_pretrained(place.base)
    config.num_labels = 4
    config.output_hidden_states = True
    config.hidden_dropout_prob = 0.2
    config.my_own_setting = "kept"
    model = alike(lib.BertForSequenceClassification.from_pretrained(place.base, config=config)).eval()
    output = model(**place.read(TEXTS))
    model.save_pretrained(place.scratch / "model")
    again = lib.BertConfig.from_pretrained(place.scratch / "model")
    return output.logits, len(output.hidden_states), again.my_own_setting, again.num_labels, again.id2label


def outputs_of_every_kind(lib: Any, place: Place) -> Any:
    """As attributes, by name, by place, unpacked; with all that is to be had."""
    model, batch = classifier(lib, place, attn_implementation="eager"), place.read(TEXTS[:1])
    output = model(**batch, labels=place.labels[:1], output_attentions=True, output_hidden_states=True)
    loss, logits = output[:2]
    same = [bool((output["logits"] == output.logits).all()), output[1] is output.logits, loss is output.loss]
    plain = model(**batch, return_dict=False)
    states = [list(one.shape) for one in (*output.hidden_states, *output.attentions)]
    return same, list(output.keys()), "loss" in output, isinstance(output, dict), len(plain), states, logits


def a_resized_vocabulary(lib: Any, place: Place) -> Any:
    model, batch = lib.BertForPreTraining.from_pretrained(place.base), place.read(TEXTS)
    before = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(before - 10)
    smaller = model(**batch).prediction_logits.shape[-1]
    model.resize_token_embeddings(before + 3, pad_to_multiple_of=8)
    table = model.get_input_embeddings().weight
    tied = table is model.get_output_embeddings().weight
    return before, smaller, table.shape[0] % 8, model.config.vocab_size, tied, table[: before - 10].norm()


def ties_of_weights(lib: Any, place: Place) -> Any:
    model = lib.BertForMaskedLM.from_pretrained(place.base)
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    batch = place.read(TEXTS)
    model(**batch, labels=batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)).loss.backward()
    return tied, model.num_parameters(), model.bert.embeddings.word_embeddings.weight.grad.norm()


def counts_of_parameters(lib: Any, place: Place) -> Any:
    model = classifier(lib, place)
    for parameter in model.bert.embeddings.parameters():
        parameter.requires_grad = False
    return (
        sum(p.numel() for p in model.parameters()),
        model.num_parameters(),
        model.num_parameters(only_trainable=True),
        model.num_parameters(exclude_embeddings=True),
        len(model.bert.encoder.layer),
        str(model.device),
        str(model.dtype),
    )


def quantised_to_eight_bits(lib: Any, place: Place) -> Any:
    """Dynamic quantisation of all linear layers; the rounding of both differs in the last digits only."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    exact = model(**batch).logits.detach()
    small = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    return bool((small(**batch).logits - exact).abs().max() < 0.1), type(small.bert.pooler.dense).__name__


def traced_and_saved(lib: Any, place: Place) -> Any:
    """`torch.jit.trace` of inputs without pads, as for TorchServe."""
    model = lib.BertForSequenceClassification.from_pretrained(place.base, return_dict=False)
    alike(model).eval()
    batch = place.read([TEXTS[0]])
    traced = torch.jit.trace(model, (batch["input_ids"], batch["attention_mask"]), strict=False)
    torch.jit.save(traced, place.scratch / "model.pt")
    loaded = torch.jit.load(place.scratch / "model.pt")
    return loaded(batch["input_ids"], batch["attention_mask"])[0]


def a_model_that_is_not_there(lib: Any, place: Place) -> Any:
    found = []
    for kind in (lib.BertModel, lib.BertConfig, place.tokenizer):
        try:
            kind.from_pretrained(str(place.scratch / "nowhere"))
        except OSError:
            found.append("not found")
    return found


def another_shape_of_the_head(lib: Any, place: Place) -> Any:
    """`ignore_mismatched_sizes`: a head of three classes from a checkpoint with five."""
    classifier(lib, place, 5).save_pretrained(place.scratch / "five")
    options = {"num_labels": 3, "ignore_mismatched_sizes": True}
    model = lib.BertForSequenceClassification.from_pretrained(place.scratch / "five", **options)
    refused = False
    try:
        lib.BertForSequenceClassification.from_pretrained(place.scratch / "five", num_labels=3)
    except (RuntimeError, ValueError):
        refused = True
    return list(model.classifier.weight.shape), alike(model)(**place.read(TEXTS)).logits, refused


def options_that_change_nothing(lib: Any, place: Place) -> Any:
    model = lib.BertForSequenceClassification.from_pretrained(
        str(place.base),
        num_labels=2,
        output_attentions=False,
        output_hidden_states=False,
        low_cpu_mem_usage=True,
        use_safetensors=True,
        local_files_only=True,
        cache_dir=str(place.scratch),
    )
    model.to("cpu")
    model.zero_grad()
    model.train()
    return model.training, alike(model)(**place.read(TEXTS)).logits
