"""Vectors of texts, of words, and what people make of them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.programs.place import TEXTS, Place, alike


def _encoder(lib: Any, place: Place, **options: Any) -> Any:
    return lib.BertModel.from_pretrained(place.base, **options).eval()


def _mean_pooling(model_output: Any, attention_mask: Tensor) -> Tensor:
    """The function of every model card of sentence-transformers."""
    token_embeddings = model_output[0]
    expanded = attention_mask.unsqueeze(-1).expand(token_embeddings.size()).float()
    return torch.sum(token_embeddings * expanded, 1) / torch.clamp(expanded.sum(1), min=1e-9)


def the_vector_of_cls(lib: Any, place: Place) -> Any:
    with torch.no_grad():
        output = _encoder(lib, place)(**place.read(TEXTS))
    return output.last_hidden_state[:, 0, :].numpy(), output.pooler_output, output[1]


def means_over_real_tokens(lib: Any, place: Place) -> Any:
    batch = place.read(TEXTS)
    with torch.no_grad():
        vectors = F.normalize(_mean_pooling(_encoder(lib, place)(**batch), batch["attention_mask"]), p=2, dim=1)
    return vectors, vectors @ vectors.T


def the_largest_of_real_tokens(lib: Any, place: Place) -> Any:
    batch = place.read(TEXTS)
    states = _encoder(lib, place)(**batch).last_hidden_state
    states = states.masked_fill(batch["attention_mask"].unsqueeze(-1) == 0, -1e9)
    return torch.max(states, 1)[0]


def attention_pooling(lib: Any, place: Place) -> Any:
    class Pool(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = _encoder(lib, place)
            self.score = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            states = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
            weights = self.score(states).squeeze(-1).masked_fill(attention_mask == 0, float("-inf")).softmax(-1)
            return (weights.unsqueeze(-1) * states).sum(1)

    batch = place.read(TEXTS)
    return alike(Pool())(batch["input_ids"], batch["attention_mask"])


def the_last_layers_side_by_side(lib: Any, place: Place) -> Any:
    model = _encoder(lib, place, output_hidden_states=True)
    batch = place.read(TEXTS)
    with torch.no_grad():
        output = model(**batch)
    states = output.hidden_states
    joined = torch.cat([states[i] for i in (-1, -2, -3)], dim=-1)
    mean = torch.stack(states[-2:]).mean(0)
    mask = batch["attention_mask"].unsqueeze(-1)
    return len(states), (joined * mask).sum(1), (mean * mask).sum(1), output[2][0].shape


def weighted_layers(lib: Any, place: Place) -> Any:
    """Weights of layers that are learnt, over the states of [CLS]."""
    model, batch = _encoder(lib, place), place.read(TEXTS)
    weights = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    states = torch.stack(model(**batch, output_hidden_states=True).hidden_states[1:])[:, :, 0]
    mixed = (weights.softmax(0)[:, None, None] * states).sum(0)
    mixed.square().mean().backward()
    return mixed, weights.grad


def a_word_in_its_context(lib: Any, place: Place) -> Any:
    """The vector of "warm": the sum of its last layers, and how alike two of them are."""
    model, vectors = _encoder(lib, place), []
    tokenizer = place.tokenizer.from_pretrained(place.base)
    for text in ("the soup was warm", "warm bread and coffee"):
        encoded = tokenizer(text, return_tensors="pt")
        at = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]).index("warm")
        with torch.no_grad():
            states = model(**encoded, output_hidden_states=True).hidden_states
        vectors.append(torch.stack([layer[0, at] for layer in states[-3:]]).sum(0))
    return vectors, F.cosine_similarity(vectors[0], vectors[1], dim=0)


def the_table_of_words(lib: Any, place: Place) -> Any:
    """Neighbours of a word, and a text as the mean of its words."""
    model = _encoder(lib, place)
    tokenizer = place.tokenizer.from_pretrained(place.base)
    table = model.get_input_embeddings().weight
    same = model.embeddings.word_embeddings.weight is table
    similar = F.cosine_similarity(table[tokenizer.convert_tokens_to_ids("warm")][None], table)
    ids = torch.tensor(tokenizer.encode(TEXTS[0], add_special_tokens=False))
    return same, tokenizer.convert_ids_to_tokens(similar.topk(3).indices.tolist()), table[ids].mean(0)


def sentence_similarity(lib: Any, place: Place) -> Any:
    model = _encoder(lib, place)
    vectors = []
    for text in TEXTS:
        with torch.no_grad():
            vectors.append(model(**place.read(text))[0].mean(dim=1).squeeze())
    return [float(nn.CosineSimilarity(dim=0)(vectors[0], vector)) for vector in vectors]


def whitened_vectors(lib: Any, place: Place) -> Any:
    """Su et al. 2021: covariances of first-last-means."""
    batch = place.read(TEXTS)
    output = _encoder(lib, place)(**batch, output_hidden_states=True)
    mask = batch["attention_mask"].unsqueeze(-1)
    vectors = ((output.hidden_states[1] + output.hidden_states[-1]) / 2 * mask).sum(1) / mask.sum(1)
    centred = vectors - vectors.mean(0)
    return torch.linalg.svdvals(centred.T @ centred / len(TEXTS))[:3]


def simcse(lib: Any, place: Place) -> Any:
    """Gao et al. 2021; here the two views are a text and its beginning."""
    model = _encoder(lib, place).train()
    one, two = (place.read(texts) for texts in (TEXTS, [text[:16] for text in TEXTS]))
    left, right = model(**one).pooler_output, model(**two).pooler_output
    scores = F.cosine_similarity(left.unsqueeze(1), right.unsqueeze(0), dim=-1) / 0.05
    loss = F.cross_entropy(scores, torch.arange(len(TEXTS)))
    loss.backward()
    return loss, model.pooler.dense.weight.grad.norm()


def triplets(lib: Any, place: Place) -> Any:
    model = _encoder(lib, place)
    anchor, near, far = (_mean_pooling(model(**(b := place.read(text))), b["attention_mask"]) for text in TEXTS[:3])
    loss = nn.TripletMarginLoss(margin=5.0)(anchor, near, far)
    loss.backward()
    return loss, model.embeddings.LayerNorm.weight.grad.norm()


def a_siamese_network(lib: Any, place: Place) -> Any:
    """Reimers and Gurevych 2019: `(u, v, |u - v|)` and a softmax."""

    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = _encoder(lib, place)
            self.fc = nn.Linear(3 * self.bert.config.hidden_size, 3)

        def forward(self, first: Any, second: Any) -> Tensor:
            u = _mean_pooling(self.bert(**first), first["attention_mask"])
            v = _mean_pooling(self.bert(**second), second["attention_mask"])
            return self.fc(torch.cat([u, v, torch.abs(u - v)], dim=-1))

    model = alike(Siamese())
    logits = model(place.read(TEXTS[:2]), place.read(TEXTS[2:]))
    F.cross_entropy(logits, torch.tensor([0, 2])).backward()
    return logits, model.bert.encoder.layer[0].intermediate.dense.weight.grad.norm()


def probing_of_every_layer(lib: Any, place: Place) -> Any:
    """A linear probe, in closed form, over the frozen states of each layer."""
    model, batch = _encoder(lib, place, output_hidden_states=True), place.read(TEXTS)
    with torch.no_grad():
        states = model(**batch)["hidden_states"]
    targets = place.labels.float() * 2 - 1
    errors = []
    for layer in states:
        features = torch.cat([layer[:, 0, :2], torch.ones(len(TEXTS), 1)], 1)
        weights = torch.linalg.lstsq(features, targets[:, None]).solution
        errors.append(float((features @ weights - targets[:, None]).square().mean()))
    return errors


def similarity_of_representations(lib: Any, place: Place) -> Any:
    """Linear CKA (Kornblith et al. 2019) between layers."""
    batch = place.read(TEXTS)
    states = _encoder(lib, place)(**batch, output_hidden_states=True).hidden_states
    real = batch["attention_mask"].bool()
    flat = [(layer[real] - layer[real].mean(0)).detach() for layer in states]
    return [float((a.T @ b).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm())) for a, b in zip(flat, flat[1:])]


def an_index_of_texts(lib: Any, place: Place) -> Any:
    """Dense retrieval: texts in batches, a query, the nearest."""
    model, rows = _encoder(lib, place), []
    for start in range(0, len(TEXTS), 2):
        batch = place.read(TEXTS[start : start + 2])
        with torch.inference_mode():
            rows.append(_mean_pooling(model(**batch), batch["attention_mask"]).cpu())
    index, batch = torch.cat(rows), place.read(["rude waiter"])
    query = _mean_pooling(model(**batch), batch["attention_mask"])
    return (query @ index.T).topk(2).values, (query @ index.T).topk(4).indices


def a_model_without_a_pooler(lib: Any, place: Place) -> Any:
    model = lib.BertModel.from_pretrained(place.base, add_pooling_layer=False)
    output = model(**place.read(TEXTS))
    return model.pooler is None, output.pooler_output is None, len(output), output[0][:, 0]
