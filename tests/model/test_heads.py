"""The output table of the masked language model: both orders of its product."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bertwright import BertConfig
from bertwright.model.heads import MaskedLanguageModelHead, few_by_table


@pytest.mark.parametrize("count", [2, 3, 8])
def test_table_first_is_the_same_product(count: int) -> None:
    torch.manual_seed(count)
    rows, table, bias = torch.randn(count, 48), torch.randn(1000, 48), torch.randn(1000)
    found = few_by_table(rows, table, bias)
    assert found.is_contiguous()
    torch.testing.assert_close(found, F.linear(rows, table, bias), atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9])
def test_the_head_gives_the_same_with_and_without_gradients(count: int) -> None:
    torch.manual_seed(0)
    head = MaskedLanguageModelHead(BertConfig(vocab_size=1000, hidden_size=48, num_attention_heads=4))
    hidden, table = torch.randn(count, 48), torch.randn(1000, 48)
    with torch.no_grad():
        found = head(hidden, table)
    torch.testing.assert_close(found, head(hidden, table).detach(), atol=2e-5, rtol=1e-5)
