"""The cases in which the peers test their BERT, each as a check of our classes: beside the peer where it computes.

Written anew after the names of `test_modeling_bert.py`, `test_modeling_common.py` and `test_configuration_common.py` of
transformers 5; `test_model_cases.py` has the table of all of them.
"""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

import bertwright
from bertwright import BertConfig, BertwrightError
from tests.parity.peers import BY_NAME, KINDS, TINY, Case, make_inputs, make_pair, mask_of, with_labels

MLM, TEXTS, TOKENS = BY_NAME["masked-lm"], BY_NAME["single-label"], BY_NAME["tokens"]
Config: Any = BertConfig  # whose unknown words a type checker refuses
WITH_LABELS = [case for case in KINDS if case.labels is not None]
# One of each form: no head, words, texts, spans, choices.
FORMS = [BY_NAME[name] for name in ("encoder", "pretraining", "single-label", "span", "choice")]


def close(ours: Tensor, peer: Tensor) -> None:
    torch.testing.assert_close(ours, peer, atol=2e-5, rtol=2e-4)


def pairs(cases: list[Case] = FORMS) -> Iterator[tuple[Case, Any, dict[str, Tensor]]]:
    for case in cases:
        pair: Any = make_pair(case)
        yield case, pair, make_inputs(case, pair.ours.config, "right")


def real(scores: Tensor, inputs: dict[str, Tensor]) -> Tensor:
    """The scores of real tokens, where they are those of tokens."""
    mask = mask_of(inputs)
    return scores[mask != 0] if scores.shape[: mask.dim()] == mask.shape else scores


def forward_of(*names: str) -> None:
    """Scores and loss of models for these inputs, with and without token types and mask, in their shapes."""
    for name in names:
        case = BY_NAME[name]
        pair: Any = make_pair(case)
        inputs = with_labels(case, make_inputs(case, pair.ours.config, "right"))
        ours, peer = pair.ours(**inputs), pair.peer(**inputs)
        for score in case.scores:
            assert ours[score].shape == peer[score].shape
            close(real(ours[score], inputs), real(peer[score], inputs))
        if case.labels is not None and case.kind != "BertForQuestionAnswering":  # whose pads count in the peer
            close(ours.loss, peer.loss)
        ids = inputs["input_ids"]
        close(pair.ours(ids)[0], pair.peer(ids)[0])


def check_forward_signature() -> None:
    for case in KINDS:
        ours, peer = (list(inspect.signature(kind.forward).parameters) for kind in (case.ours, case.peer))
        named = [name for name in peer if name not in ("kwargs", "encoder_hidden_states", "encoder_attention_mask")]
        named = [name for name in named if name not in ("past_key_values", "use_cache")]
        if case.kind == "BertModel":
            assert named == ours[: len(named)]
        else:
            assert ours[: len(named)] == named, case


def check_determinism() -> None:
    for _, pair, inputs in pairs():
        assert torch.equal(pair.ours(**inputs)[0], pair.ours(**inputs)[0])


def check_outputs_equivalence() -> None:
    for case, pair, inputs in pairs():
        wanted = {"output_hidden_states": True, "output_attentions": True}
        as_dict, as_tuple = pair.ours(**inputs, **wanted), pair.ours(**inputs, **wanted, return_dict=False)
        assert isinstance(as_dict, dict)
        assert list(as_dict.keys()) == [key for key in pair.peer(**inputs, **wanted) if key != "cross_attentions"], case
        for one, other in zip(as_dict.values(), as_tuple, strict=True):
            assert type(one) is type(other)
            assert torch.equal(one, other) if isinstance(one, Tensor) else all(map(torch.equal, one, other))
        assert torch.equal(as_dict[0], as_dict[:2][0])
        assert dict(as_dict.items()).keys() == {*as_dict}


def check_hidden_states_output() -> None:
    for case, pair, inputs in pairs():
        ours, peer = (model(**inputs, output_hidden_states=True).hidden_states for model in (pair.ours, pair.peer))
        flat = {name: one.flatten(0, -2) for name, one in inputs.items()} if case.choices else inputs
        assert len(ours) == len(peer) == TINY["num_hidden_layers"] + 1
        for one, other in zip(ours, peer):
            close(real(one, flat), real(other, flat))
        by_config = case.ours(BertConfig.from_dict(pair.ours.config.to_dict(), output_hidden_states=True))
        assert "hidden_states" in by_config(**inputs)


def check_attention_outputs() -> None:
    for case, pair, inputs in pairs():
        ours, peer = (model(**inputs, output_attentions=True).attentions for model in (pair.ours, pair.peer))
        mask = mask_of(inputs).flatten(0, -2) != 0
        for one, other in zip(ours, peer, strict=True):
            assert one.shape == other.shape
            rows = mask[:, None, :, None].expand_as(one)
            close(one[rows], other[rows])
        assert "attentions" not in pair.ours(**inputs), case


def check_gradients_by_hooks() -> None:
    """Who hooks a layer sees the gradient of what it gives."""
    for _, pair, inputs in pairs():
        for model in (pair.ours, pair.peer):
            seen: list[Any] = []
            layer = model.base_model.encoder.layer[0]
            with layer.register_full_backward_hook(lambda *told, seen=seen: seen.append(told[2][0])):
                model(**inputs)[0].flatten()[1].backward()
            assert float(seen[0].abs().sum()) > 0


def check_save_load(folder: Path) -> None:
    for case, pair, inputs in pairs():
        pair.ours.save_pretrained(folder / case.kind)
        again = case.ours.from_pretrained(folder / case.kind)
        assert torch.equal(again(**inputs)[0], pair.ours(**inputs)[0])
        close(
            real(case.peer.from_pretrained(folder / case.kind)(**inputs)[0], inputs), real(again(**inputs)[0], inputs)
        )
        assert all(one.is_contiguous() for one in again.parameters())


def check_save_load_of_a_state(folder: Path) -> None:
    for case, pair, _ in pairs():
        twice = {name: one * 2 for name, one in pair.ours.state_dict().items()}
        pair.ours.save_pretrained(folder / case.kind, state_dict=twice)
        again = case.ours.from_pretrained(folder / case.kind).state_dict()
        assert all(torch.equal(again[name], one) for name, one in twice.items())


def check_mismatched_shapes(folder: Path) -> None:
    for case in (TEXTS, TOKENS):
        model: Any = make_pair(case).ours
        model.save_pretrained(folder / case.kind)
        with pytest.raises(ValueError, match="BW323"):
            case.ours.from_pretrained(folder / case.kind, num_labels=42)
        again: Any = case.ours.from_pretrained(folder / case.kind, num_labels=42, ignore_mismatched_sizes=True)
        assert again.classifier.out_features == 42
        assert torch.equal(next(again.bert.parameters()), next(model.bert.parameters()))
        with pytest.raises(ValueError, match="BW323"):
            case.ours.from_pretrained(folder / case.kind, vocab_size=10, ignore_mismatched_sizes=True)


def check_correct_missing_keys(folder: Path) -> None:
    for case in WITH_LABELS:
        base = make_pair(BY_NAME["encoder"]).ours
        base.save_pretrained(folder / "encoder")
        report = case.ours.from_pretrained(folder / "encoder").load_report
        assert report is not None
        base_model_prefix = "bert."
        assert not [name for name in report.fresh if name.startswith(base_model_prefix)]
        assert report.fresh


def check_initialization() -> None:
    for case in KINDS:
        still = case.ours(BertConfig(**TINY | {"initializer_range": 0.0}))
        assert {float(one.detach().mean()) for one in still.parameters()} <= {0.0, 1.0}
        drawn = case.ours(BertConfig(**TINY | {"initializer_range": 0.05})).named_parameters()
        matrices = {name: one for name, one in drawn if one.dim() == 2 and one.numel() > 1000}
        assert all(abs(float(one.detach().std()) - 0.05) < 0.005 for one in matrices.values()), case


def check_can_be_initialized_on_meta() -> None:
    for case in KINDS:
        with torch.device("meta"):
            assert all(one.is_meta for one in case.ours(BertConfig(**TINY)).parameters())


def check_load_with_device_contexts(folder: Path) -> None:
    for case, pair, _ in pairs([TEXTS]):
        pair.ours.save_pretrained(folder)
        for device in ("cpu", "meta"):  # on which there would be no weights
            with torch.device(device):
                model = case.ours.from_pretrained(folder, num_labels=7, ignore_mismatched_sizes=True)
            assert {one.device.type for one in (*model.parameters(), *model.buffers())} == {"cpu"}


def check_training(again: bool = False) -> None:
    for case, pair, inputs in pairs(WITH_LABELS):
        model = pair.ours.train()
        if again:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": True})
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        before = [one.detach().clone() for one in model.parameters()]
        model(**with_labels(case, inputs)).loss.backward()
        without = [name for name, one in model.named_parameters() if one.grad is None]
        assert without == [name for name in without if "pooler" in name], "the loss reaches all"
        optimizer.step()
        assert any(not torch.equal(one, old) for one, old in zip(model.parameters(), before))


def check_gradient_checkpointing() -> None:
    check_training(again=True)
    pair: Any = make_pair(MLM)
    inputs = with_labels(MLM, make_inputs(MLM, pair.ours.config, "right"))
    model = pair.ours.train()
    assert model.supports_gradient_checkpointing
    found: list[list[Tensor]] = []
    calls: list[int] = []
    kept: list[int] = []
    for again in (False, True):
        (model.gradient_checkpointing_enable if again else model.gradient_checkpointing_disable)()
        assert model.is_gradient_checkpointing is again
        model.zero_grad()
        count = [0]
        layer = model.bert.encoder.layer[0]
        handle = layer.intermediate.register_forward_hook(lambda *_, count=count: count.__setitem__(0, count[0] + 1))
        bytes_kept = [0]

        def keep(one: Tensor, total: list[int] = bytes_kept) -> Tensor:
            total[0] += one.numel() * one.itemsize
            return one

        torch.manual_seed(7)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one):
            loss = model(**inputs).loss
        kept.append(bytes_kept[0])
        loss.backward()
        handle.remove()
        calls.append(count[0])
        found.append([one.grad.clone() for one in model.parameters() if one.grad is not None])
    assert calls == [1, 2], "the layer is computed once more"
    assert kept[1] < kept[0], "and less is kept"
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True)), "with the same dropout"


def check_gradient_checkpointing_by_config() -> None:
    for wanted in (False, True):
        config = BertConfig.from_dict(TINY, gradient_checkpointing=wanted)
        model: Any = TEXTS.ours(config)
        assert model.is_gradient_checkpointing is wanted
        assert config.unknown_keys() == []


def check_inputs_embeds() -> None:
    for _, pair, inputs in pairs():
        ids = inputs.pop("input_ids")
        for model in (pair.ours, pair.peer):
            words = model.get_input_embeddings()(ids)
            close(model(inputs_embeds=words, **inputs)[0], model(input_ids=ids, **inputs)[0])
        embedded = pair.ours.get_input_embeddings()(ids).detach().requires_grad_()
        pair.ours(inputs_embeds=embedded, **inputs)[0].sum().backward()
        assert embedded.grad is not None
        with pytest.raises(ValueError, match="BW346"):
            pair.ours(**inputs)
        with pytest.raises(ValueError, match="BW346"):
            pair.ours(input_ids=ids, inputs_embeds=embedded)
        with pytest.raises(ValueError, match="BW420"):
            pair.ours(inputs_embeds=embedded[..., :5], **inputs)
        assert pair.ours.main_input_name == "input_ids"


def check_get_set_embeddings() -> None:
    for case, pair, inputs in pairs():
        model: Any = pair.ours
        assert type(model.get_input_embeddings()).__name__ == "Embedding"
        table = nn.Embedding(TINY["vocab_size"], TINY["hidden_size"])
        model.set_input_embeddings(table)
        assert model.get_input_embeddings() is model.base_model.embeddings.word_embeddings is table
        output = model.get_output_embeddings()
        assert (output is None) is (pair.peer.get_output_embeddings() is None), case
        if output is not None:
            assert output.weight is table.weight
            assert output.bias is model.cls.predictions.bias
            model.set_output_embeddings(output)
            with pytest.raises(ValueError, match="BW343"):
                model.set_output_embeddings(nn.Linear(3, 3))
        model(**inputs)


def check_resize_tokens_embeddings(**untied: Any) -> None:
    for case in [MLM, TEXTS, BY_NAME["encoder"]]:
        pair: Any = make_pair(case, TINY | untied)
        inputs = make_inputs(case, pair.ours.config, "right")
        model: Any = pair.ours
        before = copy.deepcopy(model)
        size = TINY["vocab_size"]
        table = model.resize_token_embeddings(size + 10)
        assert table is model.get_input_embeddings()
        assert len(table.weight) == model.config.vocab_size == model.base_model.config.vocab_size == size + 10
        assert torch.equal(table.weight[:size], before.get_input_embeddings().weight)
        close(table.weight[-1], before.get_input_embeddings().weight.mean(0))
        pair.peer.resize_token_embeddings(size + 10)
        for name, one in model.named_parameters():
            if "attention.self" not in name:
                assert one.shape == pair.peer.get_parameter(name).shape, name
        scores = model(**inputs)
        old = before(**inputs)
        for name in case.scores:
            close(scores[name][..., : old[name].shape[-1]], old[name])
        model(**{**inputs, "input_ids": inputs["input_ids"].clamp(max=3) + size + 3})[0].sum().backward()
        model.resize_token_embeddings(size - 15)
        assert len(model.get_input_embeddings().weight) == size - 15
        assert len(model.resize_token_embeddings(size, pad_to_multiple_of=64).weight) == 64
        assert len(model.resize_token_embeddings(pad_to_multiple_of=10, mean_resizing=False).weight) == 70
        assert model.get_output_embeddings() is None or len(model.get_output_embeddings().weight) == 70
        with pytest.raises(ValueError, match="BW310"):
            model.resize_token_embeddings(0)


def check_resize_embeddings_untied() -> None:
    check_resize_tokens_embeddings(tie_word_embeddings=False)


def check_resized_and_reloaded(folder: Path) -> None:
    for tied in (True, False):
        model: Any = make_pair(MLM, TINY | {"tie_word_embeddings": tied}).ours
        model.resize_token_embeddings(70)
        model.save_pretrained(folder)
        scores = model(torch.tensor([[69, 5]])).logits
        assert scores.shape == (1, 2, 70)
        assert torch.equal(MLM.ours.from_pretrained(folder)(torch.tensor([[69, 5]])).logits, scores)
        close(MLM.peer.from_pretrained(folder)(torch.tensor([[69, 5]])).logits, scores)


def check_tied_weights(folder: Path) -> None:
    pair: Any = make_pair(MLM)
    model: Any = pair.ours
    words = model.bert.embeddings.word_embeddings
    count = sum(one.numel() for one in model.parameters())
    assert count == model.num_parameters() == pair.peer.num_parameters()
    model.set_input_embeddings(nn.Embedding(70, TINY["hidden_size"]))
    model.tie_weights()
    assert model(torch.tensor([[69]])).logits.shape == (1, 1, 70)
    model.set_input_embeddings(words)
    model.tie_weights()
    model.save_pretrained(folder)
    again: Any = MLM.ours.from_pretrained(folder)
    assert again.load_report.missing == []
    assert torch.equal(again.get_output_embeddings().weight, again.get_input_embeddings().weight)


def check_untied_weights(folder: Path) -> None:
    pair: Any = make_pair(MLM, TINY | {"tie_word_embeddings": False})
    pair.ours.save_pretrained(folder)
    again: Any = MLM.ours.from_pretrained(folder)
    assert not torch.equal(again.get_output_embeddings().weight, again.get_input_embeddings().weight)
    made = nn.Linear(TINY["hidden_size"], TINY["vocab_size"])
    again.set_output_embeddings(made)
    assert again.get_output_embeddings().weight is made.weight
    ids = torch.tensor([[5, 6]])
    hidden = again.cls.predictions.transform(again.bert(ids)[0])
    close(again(ids).logits, made(hidden))


def check_problem_types() -> None:
    ids = make_inputs(TEXTS, BertConfig(**TINY))["input_ids"]
    problems: list[tuple[str, int, Tensor]] = [
        ("multi_label_classification", 3, torch.eye(3)[[0, 1, 2, 0]]),
        ("single_label_classification", 3, torch.tensor([0, 1, 2, 0])),
        ("regression", 1, torch.linspace(0, 1, 4)),
    ]
    for problem, labels, target in problems:
        case = Case(problem, TEXTS.kind, None, settings={"num_labels": labels, "problem_type": problem})
        pair: Any = make_pair(case)
        ours, peer = pair.ours(ids, labels=target).loss, pair.peer(ids, labels=target).loss
        close(ours, peer)
        ours.backward()
        assert pair.ours.config.problem_type == problem


def check_num_parameters() -> None:
    for case, pair, _ in pairs():
        ours, peer = pair.ours, pair.peer
        for options in ({}, {"exclude_embeddings": True}):
            assert ours.num_parameters(**options) == peer.num_parameters(**options), case
        for model in (ours, peer):
            model.base_model.requires_grad_(False)
        trainable = [model.num_parameters(only_trainable=True) for model in (ours, peer)]
        assert trainable[0] == trainable[1], case
        assert ours.get_memory_footprint() == 4 * ours.num_parameters()


def check_data_parallel() -> None:
    """What `nn.DataParallel` does with the outputs of several devices: it makes one of their type from pairs."""
    for case, pair, inputs in pairs([BY_NAME["encoder"], TEXTS, TOKENS]):
        halves = [{name: one[at] for name, one in inputs.items()} for at in (slice(0, 2), slice(2, 4))]
        outputs = [pair.ours(**half, output_hidden_states=True) for half in halves]
        whole = pair.ours(**inputs, output_hidden_states=True)
        gathered = type(whole)((key, _put_together([one[key] for one in outputs])) for key in outputs[0])
        for key in case.scores:
            close(gathered[key], whole[key])
        assert isinstance(gathered, type(whole))
        assert list(gathered) == list(whole)
        wrapped = nn.DataParallel(pair.ours)
        assert torch.equal(wrapped(**inputs)[0], pair.ours(**inputs)[0])


def _put_together(values: Sequence[Any]) -> Any:
    return torch.cat(list(values)) if isinstance(values[0], Tensor) else tuple(map(_put_together, zip(*values)))


def check_half_precision() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        for _, pair, inputs in pairs([BY_NAME["encoder"], TEXTS]):
            model = pair.ours.half() if dtype == torch.float16 else pair.ours.bfloat16()
            assert model.dtype == dtype
            assert model(**inputs)[0].dtype == dtype


def check_mask_left_out() -> None:
    """Where nothing is padded, a mask and no mask are the same."""
    for _, pair, inputs in pairs():
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        with_mask = pair.ours(**inputs)[0]
        del inputs["attention_mask"]
        close(pair.ours(**inputs)[0], with_mask)


def check_batching_equivalence() -> None:
    for case, pair, inputs in pairs():
        whole = pair.ours(**inputs)
        for at in range(2):
            alone = pair.ours(**{name: one[at : at + 1] for name, one in inputs.items()})
            for name in case.scores:
                close(alone[name], whole[name][at : at + 1])


def check_every_tensor_is_a_parameter_or_buffer() -> None:
    for case in KINDS:
        for module in case.ours(BertConfig(**TINY)).modules():
            assert not [name for name, value in vars(module).items() if isinstance(value, Tensor)], case


def check_pickle_and_copy() -> None:
    for _, pair, inputs in pairs([TEXTS]):
        for again in (pickle.loads(pickle.dumps(pair.ours)), copy.deepcopy(pair.ours)):
            assert torch.equal(again(**inputs)[0], pair.ours(**inputs)[0])


def check_missing_checkpoint() -> None:
    with pytest.raises(OSError, match="BW30"):
        TEXTS.ours.from_pretrained("/no/such/folder")


def check_dtype_arguments(folder: Path) -> None:
    make_pair(TEXTS).ours.save_pretrained(folder)
    kind: Any = TEXTS.ours
    for word in ("dtype", "torch_dtype"):
        for value in (torch.float16, "float16"):
            assert kind.from_pretrained(folder, **{word: value}).dtype == torch.float16


def check_no_torch_function_mode() -> None:
    """Inside `torch.no_grad()` and in inference mode."""
    for _, pair, inputs in pairs([TEXTS]):
        for mode in (torch.no_grad(), torch.inference_mode(), nullcontext()):
            with mode:
                assert pair.ours(**inputs)[0].shape == (4, 3)


def check_input_require_grads() -> None:
    model: Any = make_pair(TEXTS).ours
    model.requires_grad_(False)
    model.enable_input_require_grads()
    model.enable_input_require_grads()
    assert model(torch.tensor([[5, 6]]))[0].requires_grad
    model.disable_input_require_grads()
    assert not model(torch.tensor([[5, 6]]))[0].requires_grad


def check_base_model() -> None:
    for case in KINDS:
        model: Any = case.ours(BertConfig(**TINY))
        assert type(model.base_model) is bertwright.BertModel
        assert isinstance(model, bertwright.BertPreTrainedModel)
        assert model.num_labels == model.config.num_labels
        assert (model.base_model_prefix, model.config_class) == ("bert", BertConfig)
        assert model(**model.dummy_inputs)[0].shape[0] == 3 if not case.choices else True
        assert not model.can_generate()


def check_prune_heads() -> None:
    pair: Any = make_pair(TEXTS)
    with pytest.raises(NotImplementedError, match="BW345") as caught:
        pair.ours.prune_heads({0: [1]})
    assert isinstance(caught.value, BertwrightError)


def check_head_mask() -> None:
    with pytest.raises(TypeError, match="BW424"):
        make_pair(TEXTS).ours(torch.tensor([[5]]), head_mask=torch.ones(3, 4))
    assert "head_mask" not in inspect.signature(transformers.BertModel.forward).parameters


def check_config_common_properties() -> None:
    for name in ("hidden_size", "num_attention_heads", "num_hidden_layers"):
        config = Config()
        setattr(config, name, 24)
        assert getattr(config, name) == 24
        assert getattr(Config(**{name: 24}), name) == 24
    for name in ("use_cache", "output_attentions", "is_encoder_decoder", "chunk_size_feed_forward", "dtype"):
        assert hasattr(Config(), name)
        assert hasattr(transformers.BertConfig(), name)
    assert Config().use_return_dict is True
    assert not hasattr(Config(), "quantization_config")


def check_config_json(folder: Path) -> None:
    config = Config(**TINY, my_word={"a": 1}, num_labels=4)
    values = json.loads(config.to_json_string())
    assert (values["hidden_size"], values["my_word"], "layer_norm_eps" in values) == (48, {"a": 1}, False)
    assert json.loads(config.to_json_string(use_diff=False))["layer_norm_eps"] == 1e-12
    config.to_json_file(folder / "config.json")
    for again in (
        Config.from_json_file(folder / "config.json"),
        Config.from_dict(config.to_dict()),
        Config(**config.to_dict()),
        Config.from_pretrained(folder),
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
    ):
        assert again == config
        assert (again.my_word, again.num_labels) == ({"a": 1}, 4)
    assert config.to_diff_dict().keys() <= config.to_dict().keys()
    assert transformers.BertConfig(**config.to_dict()).my_word == {"a": 1}
    assert Config(**transformers.BertConfig(**TINY).to_dict()).hidden_size == 48


def check_config_with_num_labels() -> None:
    config = Config(num_labels=5)
    assert len(config.id2label or ()) == len(config.label2id or ()) == 5
    config.num_labels = 3
    assert len(config.id2label or ()) == len(config.label2id or ()) == 3


def check_config_arguments() -> None:
    config = Config(finetuning_task="cola", return_dict=False, bos_token_id=7, my_own="x")
    assert (config.finetuning_task, config.return_dict, config.bos_token_id) == ("cola", False, 7)
    config.another = torch.float16
    config.update({"third": 3, "hidden_dropout_prob": 0.3})
    assert (config.hidden_dropout_prob, config.third) == (0.3, 3)
    assert {"my_own": "x", "another": "float16", "third": 3}.items() <= config.to_dict().items()
    with pytest.raises(TypeError, match=r"BW313(.|\n)*hidden_size"):
        Config(hiden_size=7)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        config.nothing  # noqa: B018
    for refused, code in (({"model_type": "roberta"}, "BW311"), ({"auto_map": {"AutoModel": "x.Y"}}, "BW312")):
        with pytest.raises(BertwrightError, match=code):
            Config(**refused)
