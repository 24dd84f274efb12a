"""`BertCrfForTokenClassification`: any mask, any pattern of ignored labels, folders that come back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bertwright import BertConfig, BertCrfForTokenClassification
from bertwright.errors import BertwrightError
from bertwright.model.losses import IGNORED
from bertwright.model.tagger import masks_for

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


@pytest.fixture
def model() -> BertCrfForTokenClassification:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        id2label=dict(enumerate(TAGS)),
    )
    model = BertCrfForTokenClassification(config).eval()
    with torch.no_grad():
        for parameter in model.crf.parameters():
            parameter.normal_()
    return model


def test_any_mask_and_any_pattern_of_ignored_labels(model: BertCrfForTokenClassification) -> None:
    """Left pads, right pads, holes, and -100 anywhere: the loss is that of what is left, sequence by sequence."""
    ids = torch.randint(5, 50, (3, 9))
    mask = torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 1, 1, 0, 1, 1]])
    labels = torch.tensor(
        [
            [-100, -100, -100, 0, -100, 1, 2, -100, -100],
            [-100, 3, 4, -100, -100, -100, -100, -100, -100],
            [-100, -100, -100, 0, 0, -100, -100, 3, -100],
        ]
    )
    output = model(ids, attention_mask=mask, labels=labels)
    total, count = 0.0, 0
    for row in range(3):
        keep = labels[row] != IGNORED
        part, tags = output.logits[row][keep], labels[row][keep]
        total += model.crf.negative_log_likelihood(part, tags, torch.tensor([0, len(tags)])).item()
        count += len(tags)
    assert output.loss.item() == pytest.approx(total / count, rel=1e-5)
    output.loss.backward()
    assert model.crf.transitions.grad is not None
    assert model.classifier.weight.grad is not None


def test_decode_gives_the_best_path_over_the_words(model: BertCrfForTokenClassification) -> None:
    ids = torch.randint(5, 50, (2, 8))
    mask = torch.tensor([[1] * 8, [0, 0, 1, 1, 1, 1, 1, 0]])
    words = torch.tensor([[0, 1, 0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1, 0, 0]])
    logits = model(ids, attention_mask=mask).logits
    tags = model.decode(ids, mask, words=words)
    for row in range(2):
        at = words[row] != 0
        expected = model.crf.decode(logits[row][at].detach(), torch.tensor([0, int(at.sum())]))
        assert tags[row][at].tolist() == expected.tolist()
        assert (tags[row][~at] == IGNORED).all()
    every = model.decode(ids, mask)
    assert (every[0] != IGNORED).tolist() == [False, *[True] * 6, False]
    assert (every[1] != IGNORED).tolist() == [False, False, False, True, True, True, False, False]


def test_a_folder_comes_back_with_its_transitions(model: BertCrfForTokenClassification, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    again = BertCrfForTokenClassification.from_pretrained(tmp_path)
    assert again.load_report is not None
    assert not again.load_report.fresh
    assert torch.equal(again.crf.transitions, model.crf.transitions)
    assert again.crf.allowed.tolist() == model.crf.allowed.tolist()
    ids = torch.randint(5, 50, (1, 7))
    assert torch.equal(again(ids).logits, model(ids).logits)


def test_transformers_opens_the_folder(model: BertCrfForTokenClassification, tmp_path: Path) -> None:
    """Its emissions are ours; it has no CRF."""
    transformers = pytest.importorskip("transformers")
    transformers.logging.set_verbosity_error()
    model.save_pretrained(tmp_path)
    peer = transformers.BertForTokenClassification.from_pretrained(tmp_path).eval()
    ids = torch.randint(5, 50, (2, 7))
    assert torch.allclose(peer(ids).logits, model(ids).logits, atol=1e-5)


def test_a_fresh_head_starts_at_zero_transitions(tmp_path: Path, model: BertCrfForTokenClassification) -> None:
    model.save_pretrained(tmp_path)
    fresh = BertCrfForTokenClassification.load(
        tmp_path, ignore_mismatched_sizes=True, id2label={0: "O", 1: "B-A", 2: "I-A"}
    )
    assert fresh.crf.transitions.shape == (3, 3)
    assert not fresh.crf.transitions.any()
    assert not fresh.crf.allowed[0, 2]


def test_what_labels_allow() -> None:
    bio = masks_for(TAGS)
    assert bio["allowed"].tolist()[0] == [True, True, False, True, False]
    assert bio["allowed"].tolist()[1] == [True, True, True, True, False]
    assert bio["allowed_start"].tolist() == [True, True, False, True, False]
    assert bio["allowed_end"].all()
    bioes = masks_for(["O", "B-A", "I-A", "E-A", "S-A"])
    assert bioes["allowed"].tolist()[1] == [False, False, True, True, False]
    assert bioes["allowed_end"].tolist() == [True, False, False, True, True]
    assert masks_for(["LABEL_0", "LABEL_1"]) == {}
    assert masks_for(["O", "I-A"]) == {}


def test_labels_of_another_shape_are_refused(model: BertCrfForTokenClassification) -> None:
    with pytest.raises(BertwrightError, match="BW420"):
        model(torch.zeros(2, 5, dtype=torch.int64), labels=torch.zeros(2, 4, dtype=torch.int64))
    with pytest.raises(BertwrightError, match="BW540"):
        model(torch.ones(1, 3, dtype=torch.int64), labels=torch.tensor([[0, 7, -100]]))
