"""Every line of `docs/from-transformers.md` is true: the list is read, and each line has its test here."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

import bertwright
from bertwright import BertwrightError
from tests.programs.ecosystem import _arguments, _trainer
from tests.programs.place import QUESTION, SHAPE, TEXTS, Place, Version4Tokenizer, alike, classifier, quiet

PAGE = Path(__file__).parents[2] / "docs" / "from-transformers.md"
Check = Callable[[Place], None]
CHECKS: dict[str, Check] = {}
OURS, THEIRS = bertwright, transformers


def line(title: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        CHECKS[title] = check
        return check

    return keep


def lines() -> list[str]:
    return re.findall(r"^- \*\*(.+?)\*\*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_line_has_a_test() -> None:
    assert lines() == list(CHECKS)


@pytest.mark.filterwarnings("ignore")  # of the peers
@pytest.mark.parametrize("title", lines())
def test_a_line_of_the_list_is_true(title: str, base: Path, tmp_path: Path) -> None:
    with quiet():
        CHECKS[title](Place(base, tmp_path, bertwright.BertTokenizer))


def same(ours: Tensor, theirs: Tensor) -> bool:
    return bool(torch.allclose(ours, theirs, atol=1e-4, rtol=1e-3))


def pads(batch: Any) -> Tensor:
    mask: Tensor = batch["attention_mask"] == 0
    assert mask.any()
    return mask


def refused(call: Callable[[], object], kind: type[Exception] = BertwrightError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@line("Outputs at pads are zero.")
def _(place: Place) -> None:
    batch = place.read(TEXTS)
    ours, theirs = (lib.BertModel.from_pretrained(place.base)(**batch).last_hidden_state for lib in (OURS, THEIRS))
    assert not ours[pads(batch)].any()
    assert theirs[pads(batch)].any()
    assert same(ours[~pads(batch)], theirs[~pads(batch)])


@line("Pads take no part in a loss.")
def _(place: Place) -> None:
    batch, losses = place.read(TEXTS), []
    for labels in (batch["input_ids"], batch["input_ids"].masked_fill(pads(batch), -100)):
        losses += [
            lib.BertForMaskedLM.from_pretrained(place.base)(**batch, labels=labels).loss for lib in (OURS, THEIRS)
        ]
    assert same(losses[0], losses[2])
    assert same(losses[2], losses[3])
    assert not same(losses[1], losses[3])


@line("A pooled text begins at its first real token.")
def _(place: Place) -> None:
    right, left = place.read(TEXTS), place.read(TEXTS, padding_side="left")
    width = right["input_ids"].shape[1]
    begins = pads(left).sum(1, keepdim=True)
    positions = (torch.arange(width) - begins).clamp(min=0)
    found = []
    for lib in (OURS, THEIRS):
        model = lib.BertModel.from_pretrained(place.base)
        found.append([model(**right).pooler_output, model(**left, position_ids=positions).pooler_output])
    assert same(found[0][0], found[0][1])
    assert not same(found[1][0], found[1][1])


@line("An answer does not begin at a pad.")
def _(place: Place) -> None:
    batch = place.read([QUESTION] * len(TEXTS), TEXTS)
    scores = [
        alike(lib.BertForQuestionAnswering.from_pretrained(place.base))(**batch).start_logits for lib in (OURS, THEIRS)
    ]
    assert (scores[0][pads(batch)] == torch.finfo(torch.float32).min).all()
    assert (scores[1][pads(batch)] > -100).all()
    assert same(scores[0][~pads(batch)], scores[1][~pads(batch)])


@line("A layer that reads across tokens reads zeros at pads.")
def _(place: Place) -> None:
    batch = place.read(TEXTS)
    lstm, real, found = alike(nn.LSTM(32, 4, bidirectional=True, batch_first=True)), ~pads(batch), []
    for lib in (OURS, THEIRS):
        states = lib.BertModel.from_pretrained(place.base)(**batch).last_hidden_state
        packed = nn.utils.rnn.pack_padded_sequence(states, real.sum(1), batch_first=True, enforce_sorted=False)
        found.append((lstm(states)[0][real], lstm(packed)[1][0]))
    assert not same(found[0][0], found[1][0])
    assert same(found[0][1], found[1][1])


@line("Dropout draws other numbers.")
def _(place: Place) -> None:
    for rate, equal in ((0.0, True), (0.5, False)):
        found = []
        for lib in (OURS, THEIRS):
            model = classifier(lib, place, hidden_dropout_prob=rate).train()
            torch.manual_seed(1)
            found.append(model(**place.read(TEXTS)).logits)
        assert same(*found) is equal


@line("Weights are fp32 unless you say so.")
def _(place: Place) -> None:
    folder = place.scratch / "half"
    THEIRS.BertModel.from_pretrained(place.base).half().save_pretrained(folder)
    types = [lib.BertModel.from_pretrained(folder).dtype for lib in (OURS, THEIRS)]
    assert types == [torch.float32, torch.float16]
    assert OURS.BertModel.from_pretrained(folder, dtype="auto").dtype == torch.float16


@line("Accumulated gradients are those of the mean.")
def _(place: Place) -> None:
    norms = []
    for lib in (OURS, THEIRS):
        tokenizer = Version4Tokenizer if lib is transformers else lib.BertTokenizer
        there = Place(place.base, place.scratch, tokenizer)
        settings: Any = {
            "gradient_accumulation_steps": 2,
            "max_steps": 1,
            "logging_nan_inf_filter": False,
            "max_grad_norm": 1e9,
        }
        trainer = _trainer(lib, there, _arguments(there, **settings))
        trainer.train()
        norms.append(next(entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry))
    assert norms[1] == pytest.approx(2 * norms[0], rel=1e-3)


@line("Queries, keys and values are one parameter.")
def _(place: Place) -> None:
    model = classifier(OURS, place)
    assert not [name for name, _ in model.named_parameters() if "query" in name]
    before = model(**place.read(TEXTS)).logits
    attention = model.bert.encoder.layer[0].attention.self
    attention.separate()
    assert [name for name, _ in model.named_parameters() if "query" in name] == [
        f"bert.encoder.layer.0.attention.self.query.{kind}" for kind in ("weight", "bias")
    ]
    assert same(model(**place.read(TEXTS)).logits, before)


@line("A state has the three apart.")
def _(place: Place) -> None:
    ours, theirs = (classifier(lib, place) for lib in (OURS, THEIRS))
    assert {name: one.shape for name, one in ours.state_dict().items()} == {
        name: one.shape for name, one in theirs.state_dict().items()
    }
    assert not any(theirs.load_state_dict(ours.state_dict()))
    assert not any(ours.load_state_dict(theirs.state_dict()))
    assert "bert.encoder.layer.0.attention.self.qkv.weight" in dict(ours.named_parameters())


@line("Who listens pays for the pads.")
def _(place: Place) -> None:
    model, batch, rows = classifier(OURS, place), place.read(TEXTS), list[Any]()
    before, act = model(**batch).logits, model.bert.encoder.layer[0].intermediate.intermediate_act_fn
    assert not isinstance(act, nn.Module), "counted without a hook"
    real, every = int((~pads(batch)).sum()), batch["input_ids"].numel()
    intermediate = model.bert.encoder.layer[0].intermediate

    def counting(values: Tensor) -> Tensor:
        rows.append(values[..., 0].numel())
        return act(values)

    intermediate.intermediate_act_fn = counting
    model(**batch)
    model.bert.encoder.layer[1].register_forward_hook(lambda _, __, output: rows.append(tuple(output.shape)))
    assert same(model(**batch).logits, before)
    assert rows == [real, every, (*batch["input_ids"].shape, 32)]


def _heard(output: Tensor, grads: list[Tensor]) -> None:
    output.register_hook(grads.append)


@line("Shown states are copies.")
def _(place: Place) -> None:
    for lib, seen in ((OURS, False), (THEIRS, True)):
        output = classifier(lib, place)(**place.read(TEXTS), labels=place.labels, output_hidden_states=True)
        output.hidden_states[1].retain_grad()
        output.loss.backward()
        assert (output.hidden_states[1].grad is not None) is seen
    model, grads = classifier(OURS, place), list[Tensor]()
    model.bert.encoder.layer[0].register_forward_hook(lambda _, __, output: _heard(output, grads))
    model(**place.read(TEXTS), labels=place.labels).loss.backward()
    assert grads[0].any()


@line("A mask is `[B, S]`.")
def _(place: Place) -> None:
    batch = place.read(TEXTS)
    width = batch["input_ids"].shape[1]
    model = OURS.BertModel.from_pretrained(place.base)
    for shape in ((4, width, width), (4, 1, width, width)):
        assert "attention_mask" in refused(partial(model, batch["input_ids"], torch.ones(shape)))


@line("Heads are not pruned.")
def _(place: Place) -> None:
    assert "BW345" in refused(lambda: OURS.BertModel.from_pretrained(place.base).prune_heads({0: [1]}))


@line("There is no decoder in the encoder.")
def _(place: Place) -> None:
    assert "is_decoder" in refused(lambda: OURS.BertConfig(**SHAPE, is_decoder=True))
    assert OURS.BertForSeq2SeqLM is not None


@line("A missing tensor of the encoder is an error.")
def _(place: Place) -> None:
    state = THEIRS.BertModel.from_pretrained(place.base).state_dict()
    state.pop("encoder.layer.1.output.dense.weight")
    config = place.base
    missing = refused(
        lambda: OURS.BertModel.from_pretrained(None, config=OURS.BertConfig.from_pretrained(config), state_dict=state)
    )
    assert "encoder.layer.1.output.dense.weight" in missing


@line("A config that names code is refused.")
def _(place: Place) -> None:
    assert "auto_map" in refused(lambda: OURS.BertConfig.from_dict({"auto_map": {"AutoModel": "code.Model"}}))
    OURS.BertModel.from_pretrained(place.base, trust_remote_code=True)


@line("An argument without effect is refused.")
def _(place: Place) -> None:
    assert "load_in_8bit" in refused(lambda: OURS.BertModel.from_pretrained(place.base, load_in_8bit=True))
    OURS.BertModel.from_pretrained(place.base, low_cpu_mem_usage=True, device_map="cpu", attn_implementation="eager")


@line("A tokenizer refuses what it would have to drop.")
def _(place: Place) -> None:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    refused(partial(tokenizer.decode, [5, -100]))
    refused(partial(tokenizer.pad, [{"input_ids": [5, 6], "token_type_ids": [0, 0]}, {"input_ids": [5]}]))


@line("Errors are one class, and Python's own.")
def _(place: Place) -> None:
    model, batch = OURS.BertModel.from_pretrained(place.base), place.read(TEXTS)
    mistakes: list[tuple[type[Exception], Callable[[], object]]] = [
        (OSError, lambda: OURS.BertModel.from_pretrained(place.scratch / "nowhere")),
        (TypeError, lambda: model(**batch, labls=1)),
        (ValueError, lambda: OURS.BertConfig(hidden_size=30, num_attention_heads=4)),
    ]
    for kind, mistake in mistakes:
        for caught in (BertwrightError, kind):
            refused(mistake, caught)


@line("`Trainer`, collators and schedules.")
def _(place: Place) -> None:
    for name in ("Trainer", "DataCollatorWithPadding", "get_linear_schedule_with_warmup"):
        assert f"from transformers import {name}" in refused(partial(getattr, OURS, name))
    trainer = _trainer(OURS, place, _arguments(place, max_steps=1))
    trainer.train()
    trainer.save_model(str(place.scratch / "saved"))
    again = OURS.BertForSequenceClassification.from_pretrained(place.scratch / "saved")
    assert same(again(**place.read(TEXTS)).logits, trainer.model.eval()(**place.read(TEXTS)).logits)


@line("`pipeline`.")
def _(place: Place) -> None:
    assert "from bertwright import Predictor" in refused(lambda: OURS.pipeline)


@line("Other models than BERT.")
def _(place: Place) -> None:
    assert "from transformers import RobertaModel" in refused(lambda: OURS.RobertaModel)
