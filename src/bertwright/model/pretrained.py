"""What every model shares: fresh weights, `from_pretrained`, `save_pretrained`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from bertwright.checkpoint import names
from bertwright.checkpoint.folders import unseal
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.load_report import LoadReport
from bertwright.checkpoint.matching import match, take_theirs
from bertwright.checkpoint.weights import read_tensors, weight_file, write_tensors
from bertwright.errors import BertwrightError
from bertwright.model.config import OF_CALLS, BertConfig
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")

_LAYER = re.compile(r"\blayer\.(\d{1,9})\.")
_LAYERS_BUILT_AT_ONCE = 100
_TENSORS_OF_A_LAYER = 16
_MOST_FRESH = 1 << 27  # numbers, 512 MiB: a head of 100,000 classes on the widest BERT takes less


class Pretrained(nn.Module):
    """A model with a config.

    Attributes:
        config: its shape.
        load_report: what became of every tensor, where the model was loaded from a folder.
    """

    config_class: ClassVar[type[BertConfig]] = BertConfig
    architecture: ClassVar[str] = ""  # what the peers call it, where that is not the name of the class

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.load_report: LoadReport | None = None
        self.register_load_state_dict_pre_hook(take_theirs)  # type: ignore[no-untyped-call]

    def initialise(self, only: set[str] | None = None) -> None:
        """Give the parameters (or `only` those named) their fresh values.

        Linear and embedding weights are drawn from N(0, initializer_range²), their biases and the pad's row
        are zero; a norm starts as the identity (Devlin et al. 2019, released code).
        """
        for path, module in self.named_modules():
            for name, parameter in module.named_parameters(recurse=False):
                full = f"{path}.{name}" if path else name
                if not parameter.is_meta and (only is None or full in only):
                    _start(module, name, parameter, self.config.initializer_range)

    @classmethod
    def from_pretrained(
        cls,
        folder_or_name: str | Path,
        *,
        dtype: torch.dtype | str = torch.float32,
        ignore_mismatched_sizes: bool = False,
        **changes: Any,
    ) -> Self:
        """The model in a folder, or under a hub name (looked up in the local cache first).

        A head that the checkpoint lacks is fresh, which is said in one warning; the model is in `eval` mode.

        Args:
            folder_or_name: see `checkpoint.hub.weights_folder`; a hub name that the cache lacks is downloaded.
            dtype, ignore_mismatched_sizes, **changes: as in `load`; `torch_dtype` is the older name of `dtype`. What
                calls do by themselves may be said: `output_attentions=False`, `output_hidden_states=False`,
                `return_dict=True`.

        Raises:
            BertwrightError: BW301 and BW303 not found, and those of `load`.
        """
        folder = weights_folder(folder_or_name, download=True)
        dtype = changes.pop("torch_dtype", None) or dtype
        changes = {key: value for key, value in changes.items() if not (key in OF_CALLS and OF_CALLS[key] == value)}
        model = cls.load(folder, dtype=dtype, ignore_mismatched_sizes=ignore_mismatched_sizes, **changes)
        report = model.load_report
        assert report is not None
        if report.fresh:
            name, summary = cls.__name__, report.summary()
            log.warning(said("{model}: {report}. Train it before you use its answers.", model=name, report=summary))
        else:
            log.info("%s: %s", cls.__name__, report.summary())
        return model

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        dtype: torch.dtype | str = torch.float32,
        ignore_mismatched_sizes: bool = False,
        **changes: Any,
    ) -> Self:
        """The model in a folder, in `eval` mode; `load_report` says what became of every tensor.

        Args:
            folder: holds `config.json` and weights.
            dtype: of the weights in memory: a type, its name, or `auto`, that of the file's first weights.
            ignore_mismatched_sizes: start a head afresh where its shape in the file differs.
            **changes: laid over the config, such as `num_labels=3`.

        Raises:
            BertwrightError: BW302 a file is missing, BW310 to BW314 the config, BW315 no such `dtype`, BW320 and BW321
                the weight file, BW322 encoder tensors are missing, BW323 tensors of another shape, BW347 the config
                asks for far more than the weights hold.
        """
        config = cls.config_class.from_pretrained(folder, **changes)
        if unknown := config.unknown_keys():
            file = folder / "config.json"
            log.warning(said("{file}: keys without effect here: {keys}", file=file, keys=shown(unknown)))
        file = weight_file(folder)
        tensors = read_tensors(file)
        _refuse_layers_without_weights(config, tensors, file)  # before they are built
        with torch.device("meta"):
            model = cls(config)
        wanted = {name: parameter.shape for name, parameter in model.named_parameters()}
        dtype = _type_of_weights(dtype, tensors.values())
        found, report = match(tensors, wanted, file)
        model.load_report = report
        _refuse_gaps(report, ignore_mismatched_sizes)
        _refuse_too_much(report.fresh, wanted, found, file)
        # In memory of its own, and in rows: where a tensor is mapped from the file, its alignment depends on the file's
        # header, and a `.bin` may hold columns; matrix libraries round by both. A resumed run must compute what the
        # uninterrupted one does.
        state = {name: tensor.contiguous().to(dtype, copy=True) for name, tensor in found.items()}
        state |= {name: torch.empty(wanted[name], dtype=dtype) for name in report.fresh}
        model.load_state_dict(state, assign=True)
        model.requires_grad_(True)
        model.initialise(only=set(report.fresh))
        model.hold_constants()
        return model.eval()

    def hold_constants(self) -> None:
        """Take out of the training what is never learnt; nothing, in most models."""

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` as `transformers` reads them."""
        unseal(Path(folder))
        named = self.architecture or type(self).__name__
        self.config.write(folder, architectures=[named], dtype=str(self.dtype).removeprefix("torch."))
        write_tensors(dict(self.named_parameters()), Path(folder) / "model.safetensors")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._first().device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self._first().dtype

    def num_parameters(self) -> int:
        """How many numbers the model has learnt, tied ones once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _first(self) -> Tensor:
        return next(self.parameters())


def _refuse_layers_without_weights(config: BertConfig, tensors: Iterable[str], file: Path) -> None:
    """Raise BW322 for layers far beyond those of the file: building so many takes long."""
    names_there = list(tensors)
    there = 1 + max((int(found[1]) for name in names_there for found in _LAYER.finditer(name)), default=-1)
    asked = config.most_layers
    if asked > there + _LAYERS_BUILT_AT_ONCE:
        missing = f"encoder.layer.{there} … encoder.layer.{asked - 1}"
        unused = shown(names_there, 4) if not there else "-"
        count = (asked - there) * _TENSORS_OF_A_LAYER
        raise BertwrightError("BW322", file=file, count=count, missing=missing, unused=unused)


def _refuse_too_much(
    fresh: Iterable[str], wanted: Mapping[str, torch.Size], found: Mapping[str, Tensor], file: Path
) -> None:
    """Raise BW347 where new tensors would take far more memory than the weights that there are."""
    new = sum(wanted[name].numel() for name in fresh)
    there = sum(tensor.numel() for tensor in found.values())
    if new > _MOST_FRESH + 4 * there:
        raise BertwrightError("BW347", file=file, new=new, there=there)


def _refuse_gaps(report: LoadReport, ignore_mismatched_sizes: bool) -> None:
    for ours, theirs, have, want in report.misshapen:
        if not (ignore_mismatched_sizes and names.is_head(ours)):
            raise BertwrightError("BW323", file=report.file, name=theirs, have=have, want=want)
    of_encoder = chain(*(names.theirs(ours) for ours in report.missing if not names.is_head(ours)))
    if gaps := [theirs for theirs in of_encoder if theirs in report.absent]:
        unused = shown(report.unused, 4) or "-"
        raise BertwrightError("BW322", file=report.file, count=len(gaps), missing=shown(gaps, 4), unused=unused)


@torch.no_grad()
def _start(module: nn.Module, name: str, parameter: nn.Parameter, deviation: float) -> None:
    """Give a parameter, which is called `name` in its module, its fresh value."""
    if isinstance(module, nn.LayerNorm):
        parameter.fill_(1.0 if name == "weight" else 0.0)
    elif name != "weight":
        parameter.zero_()
    else:
        parameter.normal_(0.0, deviation)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            parameter[module.padding_idx].zero_()


def _type_of_weights(asked: torch.dtype | str, tensors: Iterable[Tensor]) -> torch.dtype:
    """The type that `dtype=` names.

    Raises:
        BertwrightError: BW315 it names none that weights can have.
    """
    if asked == "auto":
        return next((one.dtype for one in tensors if one.is_floating_point() and one.itemsize > 1), torch.float32)
    found = getattr(torch, asked.removeprefix("torch."), None) if isinstance(asked, str) else asked
    if not isinstance(found, torch.dtype) or not found.is_floating_point or found.itemsize < 2:
        raise BertwrightError("BW315", dtype=asked)
    return found
