"""A word table for a model from scratch in which words that stand in like places lie close together.

Masked language modelling learns such a table by itself, and spends most of a small budget on it. Counting does the same
in minutes.

Source: Levy, Goldberg and Dagan 2015, sections 2.1 and 3.1: vectors from the singular values of positive pointwise
mutual information, contexts smoothed.

Shapes: V vocabulary, K context tokens, H hidden size.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from bertwright.corpus.drawing.held_out import held_out_documents
from bertwright.corpus.drawing.neighbours import Neighbours, count_neighbours
from bertwright.corpus.store import CorpusStore
from bertwright.model.models import BertWithHead
from bertwright.model.pretraining_models import BertForMaskedLM
from bertwright.wording import said

log = logging.getLogger("bertwright")

_CONTEXTS = 1500
_SMOOTHING = 0.75
_ROWS_AT_ONCE = 2048


@torch.no_grad()
def start_from_counts(model: BertWithHead, store: CorpusStore, held_out: float) -> None:
    """Set the word table `[V, H]` and the bias of the MLM head `[V]` by what is counted in a store.

    Documents that are held out are not counted. Rows of tokens that do not occur stay as they are. The other rows get
    the mean length that they had.
    """
    assert isinstance(model, BertForMaskedLM)
    table = model.bert.embeddings.word_embeddings.weight
    kept = ~held_out_documents(store.documents, held_out)
    log.info(said("counting which tokens stand beside each other, for the word table"))
    found = count_neighbours(store, len(table), kept, contexts=max(_CONTEXTS, table.shape[1]))
    vectors = word_vectors(found, table.shape[1])
    known = vectors.norm(dim=1) > 0
    length = table[known].norm(dim=1).mean().to(vectors)
    table[known] = (vectors[known] * length).to(table)
    shares = torch.from_numpy((found.tokens + 1.0) / (found.tokens + 1.0).sum())
    model.cls.predictions.bias.copy_(shares.log() - shares.log().mean())
    log.info(said("{n} of {all} rows of the word table begin as counted", n=int(known.sum()), all=len(table)))


def word_vectors(found: Neighbours, size: int) -> Tensor:
    """`[V, size]` float32, rows of length 1 around 0, those of tokens without neighbours 0."""
    information = _positive_information(found)  # [V, 2K]
    products = torch.zeros(information.shape[1], information.shape[1], dtype=torch.float64)
    for rows in torch.split(information, _ROWS_AT_ONCE):
        products += (rows.t() @ rows).double()
    values, directions = torch.linalg.eigh(products)
    values, directions = values[-size:].clamp_min(1e-12), directions[:, -size:]
    # Rows of U √S, which compare better than those of U S (section 3.3 there).
    vectors: Tensor = information @ (directions * values.pow(-0.25)).float()
    known = information.abs().sum(1) > 0
    if not bool(known.any()):
        return torch.zeros(len(vectors), size)
    vectors[known] -= vectors[known].mean(0)
    vectors[known] = torch.nn.functional.normalize(vectors[known], dim=1)
    vectors[~known] = 0.0
    if vectors.shape[1] < size:
        vectors = torch.nn.functional.pad(vectors, (0, size - vectors.shape[1]))
    return vectors


def _positive_information(found: Neighbours) -> Tensor:
    """`[V, 2K]`: max(0, log of how much more often two tokens meet than by chance)."""
    beside = torch.from_numpy(found.beside)
    total = beside.sum(1, keepdim=True).clamp_min(1e-9)
    context = beside.sum(0).double().pow(_SMOOTHING)
    context = (context / context.sum().clamp_min(1e-9)).float().clamp_min(1e-12)
    information: Tensor = beside.div(total).div(context).clamp(min=1.0).log()
    return information
