"""AdamW, its groups of parameters, and the course of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable

import torch
from torch import nn

from bertwright.model.models import BertWithHead
from bertwright.model.parameter_groups import ParameterGroup
from bertwright.training.loop_settings import LoopSettings
from bertwright.training.muon import Muon
from bertwright.wording import said, shown, worded


def make_optimizers(model: BertWithHead, settings: LoopSettings) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the matrices of the encoder's layers and AdamW for the rest.

    The `settings` are resolved: Muon multiplies in their precision. Its updates are scaled to the size of AdamW's, so
    that one rate serves both.

    Source: Jordan et al. 2024; Liu et al. 2025, "Muon is Scalable for LLM Training", section 2.2, on the scale.
    """
    if settings.optimizer == "adamw":
        return [make_adamw(model, settings)]
    groups = _matrices_by_rate(model, settings)
    taken = {id(parameter) for members in groups.values() for parameter in members}
    adamw = make_adamw(model, settings, without=taken)
    if not groups:  # every layer is frozen
        return [adamw]
    muon = Muon(
        [{"params": members, "lr": rate, "peak": rate} for rate, members in groups.items()],
        weight_decay=settings.weight_decay,
        dtype=torch.bfloat16 if settings.precision == "bf16" else torch.float32,
    )
    return [muon, adamw]


def _matrices_by_rate(model: BertWithHead, settings: LoopSettings) -> dict[float, list[nn.Parameter]]:
    """The matrices of the encoder's layers that are trained."""
    groups: dict[float, list[nn.Parameter]] = {}
    for group in model.parameter_groups():
        for parameter in group.parameters:
            if group.name == "layer" and parameter.dim() == 2 and parameter.requires_grad:
                groups.setdefault(_rate(group, settings), []).append(parameter)
    return groups


def make_adamw(model: BertWithHead, settings: LoopSettings, without: Collection[int] = ()) -> torch.optim.AdamW:
    """AdamW with bias correction; biases and norms (all one-dimensional) do not decay.

    The head, which is all that is not the encoder, such as a decoder, learns at `head_factor` times the rate, the
    transitions of a CRF at `transition_factor` times, without decay, and each layer of the encoder at `layer_decay`
    times the rate of the one above it, its embeddings lowest of all.

    Source: Loshchilov and Hutter 2019; Mosbach et al. 2021 on why the bias correction matters; Howard and
    Ruder 2018, section 3.2, on rates by layer.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for group in model.parameter_groups():
        rate = _rate(group, settings)
        for parameter in group.parameters:
            if parameter.requires_grad and id(parameter) not in without:
                decays = parameter.dim() > 1 and group.name != "transitions"
                groups.setdefault((rate, settings.weight_decay if decays else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "lr": rate, "peak": rate, "weight_decay": decay}
            for (rate, decay), members in groups.items()
        ],
        betas=(0.9, settings.beta2),
        eps=1e-8,
        fused=True,
    )


def _rate(group: ParameterGroup, settings: LoopSettings) -> float:
    """The rate of the group at its peak."""
    assert settings.learning_rate is not None
    above = settings.transition_factor if group.name == "transitions" else settings.head_factor
    return settings.learning_rate * (settings.layer_decay**group.depth if group.depth else above)


def describe_rates(model: BertWithHead, settings: LoopSettings) -> str:
    """The rates at their peak, in words."""
    assert settings.learning_rate is not None
    parts = [f"{worded('encoder')} {settings.learning_rate * settings.layer_decay:.2g}"]
    if settings.layer_decay < 1:
        parts[0] = said(
            "{rate} in its highest layer times {decay:g} a layer", rate=parts[0], decay=settings.layer_decay
        )
    parts += [
        f"{worded(group.name)} {_rate(group, settings):.2g}" for group in model.parameter_groups() if not group.depth
    ]
    if parts[-1].startswith(worded("transitions")):
        parts[-1] = said("{rate} ({n:g} times)", rate=parts[-1], n=settings.transition_factor)
    return shown(parts, len(parts))


def freeze_layers(model: BertWithHead, count: int) -> int:
    """Take the embeddings and the lowest `count` layers out of the training; how many numbers that is."""
    if count == 0:
        return 0
    of_encoder = [group for group in model.parameter_groups() if group.depth]
    frozen = [parameter for group in of_encoder[: count + 1] for parameter in group.parameters]
    for parameter in frozen:
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen)


def set_rates(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """Give every group `factor` times its peak rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = factor * group["peak"]


def rate_factor(settings: LoopSettings, steps: int) -> Callable[[int], float]:
    """The factor of the peak rate at each step, counted from 0.

    It rises from zero over `warmup * steps` steps, all but the last at most, then falls to zero in a line or a half
    cosine, or stays; with `wsd` it stays and falls in a line over the last `decay * steps` steps, or those behind the
    warm-up where they are fewer (Hu et al. 2024, section 4).
    """
    warmup_steps = min(math.ceil(settings.warmup * steps), steps - 1)  # a run of one step would else learn nothing
    decay_steps = max(min(settings.decay * steps, steps - warmup_steps), 1.0)

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / warmup_steps
        done = min((step - warmup_steps) / max(steps - warmup_steps, 1), 1.0)
        if settings.schedule == "constant":
            return 1.0
        if settings.schedule == "wsd":
            return min((steps - step) / decay_steps, 1.0)
        return 1.0 - done if settings.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))

    return factor
