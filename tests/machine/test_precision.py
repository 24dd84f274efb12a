"""Which numbers a machine computes in, and that a wish against the machine is said."""

from __future__ import annotations

import logging

import pytest
import torch

from bertwright.machine import precision
from bertwright.machine.precision import resolve_precision
from bertwright.machine.processor import cpu_features

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [({"avx2"}, "fp32"), ({"avx512_bf16"}, "bf16"), ({"amx_bf16"}, "bf16"), ({"bf16"}, "bf16"), (set(), "fp32")],
)
def test_auto_asks_the_processor(features: set[str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_features", lambda: features)
    assert resolve_precision("auto", CPU) == expected


def test_a_wish_for_slow_bf16_is_followed_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(precision, "cpu_features", set)
    with caplog.at_level(logging.WARNING, logger="bertwright"):
        assert resolve_precision("fp32", CPU) == "fp32"
        assert not caplog.records
        assert resolve_precision("bf16", CPU) == "bf16"
    assert "no instructions for bf16" in caplog.text


def test_without_torchs_answer_the_operating_systems_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"avx2", "avx512_bf16", "amx_bf16", "bf16"}
    asked = cpu_features() & known
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert cpu_features() & known == asked
