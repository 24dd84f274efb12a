"""Loops that train, as people write them."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from tests.programs.place import LABELS, TEXTS, Place, classifier


def _steps(model: Any, batch: Any, labels: Any, optimizer: Any, steps: int = 3) -> list[float]:
    losses = []
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def a_plain_loop(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    losses = _steps(model, batch, place.labels, torch.optim.AdamW(model.parameters(), lr=1e-3))
    model.eval()
    with torch.no_grad():
        logits = model(**batch).logits
    return losses, logits, logits.argmax(-1)


def batches_of_a_tensor_dataset_and_tuples(lib: Any, place: Place) -> Any:
    """The notebook of 2020: positions, tuples, `outputs[0]`."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    loader = DataLoader(TensorDataset(batch["input_ids"], batch["attention_mask"], place.labels), batch_size=2)
    optimizer, total = torch.optim.SGD(model.parameters(), lr=0.05), 0.0
    for ids, mask, labels in loader:
        model.zero_grad()
        outputs = model(ids, token_type_ids=None, attention_mask=mask, labels=labels)
        loss, logits = outputs[:2]
        total += loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return total, logits.detach().cpu().numpy()


def weight_decay_spares_norms_and_biases(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    no_decay = ["bias", "LayerNorm.weight"]
    named = list(model.named_parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for n, p in named if not any(nd in n for nd in no_decay)], "weight_decay": 0.1},
        {"params": [p for n, p in named if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
    ]
    losses = _steps(model, batch, place.labels, torch.optim.AdamW(groups, lr=1e-2))
    return losses, [sum(p.numel() for p in group["params"]) for group in groups]


def learning_rates_by_layer(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    groups: list[dict[str, Any]] = [{"params": model.classifier.parameters(), "lr": 1e-2}]
    layers = [model.bert.embeddings, *model.bert.encoder.layer]
    for depth, layer in enumerate(reversed(layers)):
        groups.append({"params": layer.parameters(), "lr": 1e-2 * 0.5**depth})
    return _steps(model, batch, place.labels, torch.optim.AdamW(groups))


def learning_rates_by_name(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    groups, sizes = [], []
    for name, parameter in model.named_parameters():
        rate = 1e-3
        for layer in range(3):
            if f"encoder.layer.{layer}." in name:
                rate = 1e-3 * 2**layer
        if "classifier" in name or "pooler" in name:
            rate = 2e-2
        groups.append({"params": [parameter], "lr": rate})
        sizes.append(rate * parameter.numel())
    return _steps(model, batch, place.labels, torch.optim.AdamW(groups)), sum(sizes)


def a_frozen_encoder(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    for parameter in model.bert.parameters():
        parameter.requires_grad = False
    learnt = filter(lambda p: p.requires_grad, model.parameters())
    losses = _steps(model, batch, place.labels, torch.optim.Adam(learnt, lr=1e-2))
    return losses, sum(p.numel() for p in model.parameters() if p.requires_grad)


def all_but_the_last_layer_frozen_by_name(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = any(part in name for part in ("encoder.layer.2", "pooler", "classifier"))
    learnt = [p for p in model.parameters() if p.requires_grad]
    losses = _steps(model, batch, place.labels, torch.optim.Adam(learnt, lr=1e-2))
    return losses, sum(p.numel() for p in learnt), model.bert.encoder.layer[1].output.dense.weight.grad is None


def only_biases_are_trained(lib: Any, place: Place) -> Any:
    """BitFit (Ben Zaken et al. 2022)."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "bias" in name or "classifier" in name
    losses = _steps(
        model, batch, place.labels, torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    )
    return losses, sum(p.numel() for p in model.parameters() if p.requires_grad)


def layers_thawed_one_after_the_other(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    for parameter in model.bert.parameters():
        parameter.requires_grad_(False)
    losses = []
    for layer in (2, 1):
        model.bert.encoder.layer[layer].requires_grad_(True)
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        losses += _steps(model, batch, place.labels, optimizer, 2)
    return losses


def gradients_accumulated(lib: Any, place: Place) -> Any:
    model, batch, norms = classifier(lib, place), place.read(TEXTS), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(4):
        part = {name: tensor[step : step + 1] for name, tensor in batch.items()}
        (model(**part, labels=place.labels[step : step + 1]).loss / 2).backward()
        if step % 2:
            norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
            optimizer.step()
            optimizer.zero_grad()
    return norms, model(**batch).logits


def a_schedule_with_warmup(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = LambdaLR(optimizer, lambda step: min(step / 2, max(0.0, (5 - step) / 3)))
    losses, rates = [], []
    for _ in range(4):
        losses += _steps(model, batch, place.labels, optimizer, 1)
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return losses, rates


def a_loss_of_ones_own(lib: Any, place: Place) -> Any:
    """Weights of classes, smoothed labels, and a focal loss, over the logits."""
    model, batch, losses = classifier(lib, place), place.read(TEXTS), []
    logits = model(**batch).logits
    losses.append(nn.CrossEntropyLoss(weight=torch.tensor([0.3, 0.7]), label_smoothing=0.1)(logits, place.labels))
    chosen = F.softmax(logits, -1).gather(1, place.labels[:, None]).squeeze(1)
    losses.append((-((1 - chosen) ** 2) * chosen.log()).mean())
    (losses[0] + losses[1]).backward()
    return [loss.item() for loss in losses], model.bert.pooler.dense.weight.grad.norm()


def the_best_state_is_kept(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    optimizer, best, kept = torch.optim.SGD(model.parameters(), lr=0.3), float("inf"), None
    for _ in range(3):
        loss = _steps(model, batch, place.labels, optimizer, 1)[0]
        if loss < best:
            best, kept = loss, copy.deepcopy(model.state_dict())
    for parameter in model.parameters():
        parameter.data.zero_()
    model.load_state_dict(kept)
    return best, model(**batch).logits


def a_mean_of_weights(lib: Any, place: Place) -> Any:
    """SWA (Izmailov et al. 2018), by the library's class."""
    from torch.optim.swa_utils import AveragedModel

    model, batch = classifier(lib, place), place.read(TEXTS)
    mean, optimizer = AveragedModel(model), torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(3):
        _steps(model, batch, place.labels, optimizer, 1)
        mean.update_parameters(model)
    return mean.module(**batch).logits, mean(**batch).logits


class Ema:
    """The class that every competition's code has."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self.shadow = {name: p.data.clone() for name, p in model.named_parameters() if p.requires_grad}
        self.backup: dict[str, Any] = {}

    def update(self) -> None:
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.shadow[name] = (1.0 - self.decay) * parameter.data + self.decay * self.shadow[name]

    def apply_shadow(self) -> None:
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                self.backup[name] = parameter.data
                parameter.data = self.shadow[name]

    def restore(self) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.data = self.backup[name]


def a_moving_mean_of_parameters(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    ema, optimizer = Ema(model, 0.7), torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(3):
        _steps(model, batch, place.labels, optimizer, 1)
        ema.update()
    ema.apply_shadow()
    shadow = model(**batch).logits.detach()
    ema.restore()
    return shadow, model(**batch).logits


def a_moving_mean_of_states(lib: Any, place: Place) -> Any:
    """The other way: a copy of the model whose state is written in place."""
    model, batch = classifier(lib, place), place.read(TEXTS)
    mean, optimizer = copy.deepcopy(model).eval(), torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(3):
        _steps(model, batch, place.labels, optimizer, 1)
        with torch.no_grad():
            for kept, new in zip(mean.state_dict().values(), model.state_dict().values()):
                kept.copy_(0.6 * kept + 0.4 * new)
    return mean(**batch).logits


def states_averaged_by_hand(lib: Any, place: Place) -> Any:
    """A "soup" (Wortsman et al. 2022) of two trainings."""
    batch, states = place.read(TEXTS), []
    for rate in (0.1, 0.3):
        model = classifier(lib, place)
        _steps(model, batch, place.labels, torch.optim.SGD(model.parameters(), lr=rate))
        states.append(model.state_dict())
    model.load_state_dict({name: (states[0][name] + states[1][name]) / 2 for name in states[0]})
    return model(**batch).logits


def autocast_and_a_scaler(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    optimizer, types = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(2):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(**batch, labels=place.labels)
        types.append(str(output.logits.dtype))
        scaler.scale(output.loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    with torch.no_grad():
        right = model(**batch).logits.softmax(-1)
    return types, (right * 10).round()


def half_precision(lib: Any, place: Place) -> Any:
    batch, kinds = place.read(TEXTS), []
    for model in (classifier(lib, place).bfloat16(), classifier(lib, place, torch_dtype=torch.bfloat16)):
        with torch.no_grad():
            logits = model(**batch).logits
        kinds.append([str(logits.dtype), str(model.dtype), (logits.float().softmax(-1) * 10).round()])
    return kinds


def gradient_checkpointing(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    model.gradient_checkpointing_enable()
    losses = _steps(model, batch, place.labels, torch.optim.AdamW(model.parameters(), lr=1e-3))
    model.gradient_checkpointing_disable()
    return losses, model(**batch).logits


def data_parallel(lib: Any, place: Place) -> Any:
    model, batch = nn.DataParallel(classifier(lib, place)), place.read(TEXTS)
    loss = model(**batch, labels=place.labels).loss.mean()
    loss.backward()
    saved = (model.module if hasattr(model, "module") else model).state_dict()
    return loss.item(), sorted(saved), model.module.bert.pooler.dense.bias.grad


def distributed_data_parallel(lib: Any, place: Place) -> Any:
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    dist.init_process_group("gloo", init_method=f"file://{place.scratch}/meeting", rank=0, world_size=1)
    try:
        model, batch = DistributedDataParallel(classifier(lib, place)), place.read(TEXTS)
        losses = _steps(model, batch, place.labels, torch.optim.SGD(model.parameters(), lr=0.1), 2)
        return losses, len(model.module.state_dict())
    finally:
        dist.destroy_process_group()


def the_loop_of_accelerate(lib: Any, place: Place) -> Any:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model, batch = classifier(lib, place), place.read(TEXTS)
    loader = DataLoader(TensorDataset(batch["input_ids"], batch["attention_mask"], torch.tensor(LABELS)), batch_size=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for ids, mask, labels in loader:
        with accelerator.accumulate(model):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(accelerator.gather(loss).mean().item())
    accelerator.save_model(model, str(place.scratch / "weights"))
    unwrapped = accelerator.unwrap_model(model)
    unwrapped.save_pretrained(place.scratch / "model", save_function=accelerator.save)
    again = lib.BertForSequenceClassification.from_pretrained(place.scratch / "model")
    from safetensors.torch import load_file

    kept = load_file(place.scratch / "weights" / "model.safetensors")
    return losses, again(**batch).logits, sorted(kept)


def a_compiled_model(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place), place.read(TEXTS)
    compiled = torch.compile(model, backend="eager")
    losses = _steps(compiled, batch, place.labels, torch.optim.SGD(model.parameters(), lr=0.1), 2)
    return losses, compiled(**batch).logits


def validation_with_eval_and_no_grad(lib: Any, place: Place) -> Any:
    model = classifier(lib, place)
    model.eval()
    found: list[int] = []
    losses = []
    for text, label in zip(TEXTS, LABELS):
        inputs = place.read(text)
        with torch.no_grad():
            loss, logits = model(**inputs, labels=torch.tensor([label]), return_dict=False)
        found.extend(torch.argmax(logits, dim=1).cpu().numpy().tolist())
        losses.append(loss.item())
    return found, losses


def dropout_at_prediction(lib: Any, place: Place) -> Any:
    """Monte Carlo dropout (Gal and Ghahramani 2016): what is drawn differs, that it is drawn does not."""
    model = lib.BertForSequenceClassification.from_pretrained(place.base, hidden_dropout_prob=0.3)
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    batch = place.read(TEXTS)
    with torch.no_grad():
        runs = torch.stack([model(**batch).logits for _ in range(8)])
    return bool(runs.std(0).min() > 0), sum(isinstance(module, nn.Dropout) for module in model.modules())
