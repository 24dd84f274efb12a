"""Adversarial training, regularisation by two passes, and other ways of disturbing a model."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.programs.place import TEXTS, Place, alike, classifier


class Fgm:
    """Miyato et al. 2017, as everybody copies it."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.backup: dict[str, Any] = {}

    def attack(self, epsilon: float = 1.0, emb_name: str = "word_embeddings") -> None:
        for name, param in self.model.named_parameters():
            if param.requires_grad and emb_name in name:
                self.backup[name] = param.data.clone()
                norm = torch.norm(param.grad)
                if norm != 0 and not torch.isnan(norm):
                    param.data.add_(epsilon * param.grad / norm)  # type: ignore[operator]

    def restore(self) -> None:
        for name, param in self.model.named_parameters():
            if name in self.backup:
                param.data = self.backup[name]
        self.backup = {}


def fgm(lib: Any, place: Place) -> Any:
    model, batch, losses = classifier(lib, place), place.read(TEXTS), []
    optimizer, attacker = torch.optim.SGD(model.parameters(), lr=0.1), Fgm(model)
    for _ in range(2):
        loss = model(**batch, labels=place.labels).loss
        loss.backward()
        attacker.attack()
        disturbed = model(**batch, labels=place.labels).loss
        disturbed.backward()
        attacker.restore()
        optimizer.step()
        model.zero_grad()
        losses += [loss.item(), disturbed.item()]
    return losses, losses[1] > losses[0]


def pgd(lib: Any, place: Place) -> Any:
    """Madry et al. 2018: three small steps within a ball."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    model(**batch, labels=place.labels).loss.backward()
    table = model.bert.embeddings.word_embeddings.weight
    kept, first = table.data.clone(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    losses = []
    for _ in range(3):
        table.data.add_(0.3 * table.grad / table.grad.norm())
        moved = table.data - kept
        table.data = kept + moved * min(1.0, 0.5 / float(moved.norm()))
        model.zero_grad()
        loss = model(**batch, labels=place.labels).loss
        loss.backward()
        losses.append(loss.item())
    table.data = kept
    return losses, len(first) > 0, table.grad.norm()


def freelb(lib: Any, place: Place) -> Any:
    """Zhu et al. 2020: the disturbance is learnt on the embeddings that go in."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    words = model.get_input_embeddings()(batch["input_ids"])
    mask = batch["attention_mask"].unsqueeze(2).float()
    delta = (torch.full_like(words, 0.01) * mask).detach()
    losses = []
    for _ in range(3):
        delta.requires_grad_()
        words = model.get_input_embeddings()(batch["input_ids"])
        output = model(inputs_embeds=words + delta, attention_mask=batch["attention_mask"], labels=place.labels)
        (output.loss / 3).backward()
        losses.append(output.loss.item())
        slope = delta.grad.detach()
        delta = (delta + 0.1 * slope / slope.flatten(1).norm(dim=1).clamp(min=1e-8)[:, None, None]).detach()
    return losses, model.bert.embeddings.word_embeddings.weight.grad.norm()


def virtual_adversarial_training(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    words = model.bert.embeddings.word_embeddings(batch["input_ids"]).detach()
    mask = batch["attention_mask"]
    clean = model(inputs_embeds=words, attention_mask=mask).logits.detach()
    noise = (torch.sin(torch.arange(words.numel())).view_as(words) * 1e-2).requires_grad_()
    moved = model(inputs_embeds=words + noise, attention_mask=mask).logits
    divergence = F.kl_div(moved.log_softmax(-1), clean.softmax(-1), reduction="batchmean")
    (slope,) = torch.autograd.grad(divergence, noise)
    strong = model(inputs_embeds=words + slope / (slope.norm() + 1e-8), attention_mask=mask).logits
    return F.kl_div(strong.log_softmax(-1), clean.softmax(-1), reduction="batchmean"), strong


def weights_disturbed_along_their_gradients(lib: Any, place: Place) -> Any:
    """AWP (Wu et al. 2020)."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    model(**batch, labels=place.labels).loss.backward()
    backup = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and "LayerNorm" in name and "weight" in name:
            backup[name] = parameter.data.clone()
            scale = 0.1 * parameter.data.norm() / (parameter.grad.norm() + 1e-6)
            parameter.data.add_(scale * parameter.grad)
    disturbed = model(**batch, labels=place.labels).loss
    for name, parameter in model.named_parameters():
        if name in backup:
            parameter.data = backup[name]
    return disturbed, model(**batch, labels=place.labels).loss, sorted(backup)


def r_drop(lib: Any, place: Place) -> Any:
    """Liang et al. 2021: two passes with other dropout draw apart; without dropout they are one."""
    found = []
    batch = place.read(TEXTS)
    for rate in (0.0, 0.3):
        model = classifier(lib, place, hidden_dropout_prob=rate).train()
        one, two = model(**batch, labels=place.labels), model(**batch, labels=place.labels)
        there = F.kl_div(one.logits.log_softmax(-1), two.logits.softmax(-1), reduction="batchmean")
        back = F.kl_div(two.logits.log_softmax(-1), one.logits.softmax(-1), reduction="batchmean")
        (0.5 * (one.loss + two.loss) + 0.5 * (there + back)).backward()
        moved = float(there + back) > 1e-5
        found.append([moved, one.loss.item() if rate == 0 else None])
    return found


def dropout_drawn_several_times(lib: Any, place: Place) -> Any:
    """Multi-sample dropout (Inoue 2019)."""

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = lib.BertModel.from_pretrained(place.base)
            self.dropouts = nn.ModuleList([nn.Dropout(0.0) for _ in range(5)])
            self.fc = nn.Linear(self.bert.config.hidden_size, 2)

        def forward(self, **inputs: Any) -> Any:
            pooled = self.bert(**inputs).pooler_output
            return torch.mean(torch.stack([self.fc(dropout(pooled)) for dropout in self.dropouts]), dim=0)

    return alike(Head())(**place.read(TEXTS))


def mixout(lib: Any, place: Place) -> Any:
    """Lee et al. 2020: after each step some weights are those of the checkpoint again."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.3), []
    for _ in range(3):
        loss = model(**batch, labels=place.labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "bias" not in name and parameter.dim() == 2:
                    column = torch.arange(parameter.shape[1]) % 3 == 0
                    parameter.copy_(torch.where(column, start[name], parameter))
    return losses


def pulled_back_to_the_checkpoint(lib: Any, place: Place) -> Any:
    """L2-SP (Li et al. 2018): the distance to the weights at the beginning is part of the loss."""
    model, reference = classifier(lib, place), classifier(lib, place)
    batch, optimizer, penalties = place.read(TEXTS), torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(3):
        pull = sum((a - b.detach()).pow(2).sum() for a, b in zip(model.parameters(), reference.parameters()))
        optimizer.zero_grad()
        (model(**batch, labels=place.labels).loss + 0.01 * pull).backward()
        optimizer.step()
        penalties.append(float(pull))
    return penalties


def noise_on_embeddings_by_a_hook(lib: Any, place: Place) -> Any:
    """NEFTune (Jain et al. 2024), with a noise that is no noise."""
    model, batch = classifier(lib, place).train(), place.read(TEXTS)

    def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
        return output + 0.1 * torch.cos(torch.arange(output.shape[-1]))

    handle = model.get_input_embeddings().register_forward_hook(hook)
    disturbed = model(**batch, labels=place.labels).loss
    handle.remove()
    return disturbed, model(**batch, labels=place.labels).loss


def mixup_of_hidden_states(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    hidden = model.bert(**batch).pooler_output
    mixed = 0.7 * hidden + 0.3 * hidden.flip(0)
    logits = model.classifier(mixed)
    return 0.7 * F.cross_entropy(logits, place.labels) + 0.3 * F.cross_entropy(logits, place.labels.flip(0))


def the_top_layers_begin_afresh(lib: Any, place: Place) -> Any:
    """Zhang et al. 2021: the last layers and the pooler are drawn anew."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    before = model(**batch).logits
    spread = []
    for layer in model.bert.encoder.layer[-1:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                module.weight.data.normal_(mean=0.0, std=model.config.initializer_range)
                module.bias.data.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.bias.data.zero_()
                module.weight.data.fill_(1.0)
        attention = layer.attention.self
        spread = [round(float(part.weight.std()), 2) for part in (attention.query, attention.key, attention.value)]
        spread += [float(part.bias.abs().max()) for part in (attention.query, attention.key, attention.value)]
    return bool((model(**batch).logits - before).abs().max() > 1e-3), spread


def gradients_of_every_layer(lib: Any, place: Place) -> Any:
    """Norms by layer, as people log them."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    model(**batch, labels=place.labels).loss.backward()
    norms: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            part = ".".join(name.split(".")[:4])
            norms[part] = norms.get(part, 0.0) + float(parameter.grad.norm() ** 2)
    return norms
