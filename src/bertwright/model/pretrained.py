"""What every model shares: fresh weights, `from_pretrained`, `save_pretrained`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from bertwright.checkpoint import names
from bertwright.checkpoint.folders import unseal
from bertwright.checkpoint.hub import weights_folder
from bertwright.checkpoint.hub_request import HubRequest
from bertwright.checkpoint.load_report import LoadReport
from bertwright.checkpoint.matching import match, take_theirs
from bertwright.checkpoint.weights import read_tensors, to_theirs, weight_file, write_tensors
from bertwright.errors import BertwrightError
from bertwright.model.call_arguments import device_of, for_constructor, settle, settle_saving
from bertwright.model.config import BertConfig
from bertwright.model.fresh_values import is_started, mark_started, start
from bertwright.model.gaps import refuse_gaps, refuse_layers_without_weights, refuse_too_much
from bertwright.model.known_to_trainer import KnownToTrainer
from bertwright.wording import said, shown

log = logging.getLogger("bertwright")


class Pretrained(KnownToTrainer, nn.Module):
    """A model with a config.

    Attributes:
        config: its shape.
        load_report: what became of every tensor, where the model was loaded from a folder.
        base_model_prefix: under which name the encoder stands in the model.
        name_or_path: what it was loaded as.
    """

    config_class: ClassVar[type[BertConfig]] = BertConfig
    architecture: ClassVar[str] = ""  # what the peers call it, where that is not the name of the class
    base_model_prefix: ClassVar[str] = "bert"
    name_or_path: str = ""

    def __init__(self, config: BertConfig, *_: Any, **__: Any) -> None:
        super().__init__()
        self.config = config
        self.load_report: LoadReport | None = None
        self.register_load_state_dict_pre_hook(take_theirs)  # type: ignore[no-untyped-call]

    def initialise(self, only: set[str] | None = None) -> None:
        """Give the parameters (or `only` those named) their fresh values; see `fresh_values`."""
        for path, module in self.named_modules():
            for name, parameter in module.named_parameters(recurse=False):
                full = f"{path}.{name}" if path else name
                if not parameter.is_meta and (only is None or full in only):
                    start(module, name, parameter, self.config.initializer_range)

    @classmethod
    def from_pretrained(
        cls,
        folder_or_name: str | Path | None,
        *of_constructor: Any,
        config: BertConfig | str | Path | None = None,
        dtype: torch.dtype | str | None = None,
        state_dict: Mapping[str, Tensor] | None = None,
        ignore_mismatched_sizes: bool = False,
        **more: Any,
    ) -> Self:
        """The model in a folder, or under a hub name (looked up in the local cache first).

        A head that the checkpoint lacks is fresh, which is said in one warning; the model is in `eval` mode.

        Args:
            folder_or_name: see `checkpoint.hub.weights_folder`; a hub name that the cache lacks is downloaded. None
                where `config` and `state_dict` say all.
            *of_constructor: for the constructor, behind the config.
            config: in place of the file's; a config, or where one lies.
            dtype, ignore_mismatched_sizes: as in `load`; `torch_dtype` is the older name of `dtype`.
            state_dict: in place of the file of the weights.
            **more: `cache_dir`, `local_files_only`, `token`, `revision`, `force_download`, `subfolder`, for the hub;
                `device_map`, one device; `output_loading_info=True`, for the model and what became of the tensors;
                arguments of the constructor, such as `add_pooling_layer=False`; all others are laid over the config,
                such as `num_labels=3`, or `output_hidden_states=True`, which calls then do.

        Raises:
            BertwrightError: BW301 and BW303 not found, BW316 an argument that cannot be honoured, BW318 nothing to
                load, and those of `load`.
        """
        call = f"{cls.__name__}.from_pretrained"
        with_report = more.pop("output_loading_info", False)
        request = HubRequest.taken_from(more)
        device = device_of(call, more.pop("device_map", None))
        settle(call, more)
        dtype = more.pop("torch_dtype", None) or dtype
        keywords = for_constructor(cls, more, cls.config_class.words())
        if folder_or_name is None and (config is None or state_dict is None):
            raise BertwrightError("BW318", call=call)
        folder = None if folder_or_name is None else weights_folder(folder_or_name, download=True, request=request)
        model = cls.load(
            folder or Path(),
            dtype=torch.float32 if dtype is None else dtype,
            ignore_mismatched_sizes=ignore_mismatched_sizes,
            config=None if config is None else cls.config_class.of(config),
            state_dict=state_dict,
            make=lambda shape: cls(shape, *of_constructor, **keywords),
            **more,
        )
        model.name_or_path = "" if folder_or_name is None else str(folder_or_name)
        report: Any = model.tell()
        model = model if device is None else model.to(device)
        return (model, report.in_words_of_the_peers()) if with_report else model  # type: ignore[return-value]

    def tell(self) -> LoadReport:
        """Log what became of the tensors of the file: a warning where some of the model's are not from there."""
        report, name = self.load_report, type(self).__name__
        assert report is not None
        if report.fresh:
            summary = report.summary()
            log.warning(said("{model}: {report}. Train it before you use its answers.", model=name, report=summary))
        else:
            log.info("%s: %s", name, report.summary())
        return report

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        dtype: torch.dtype | str = torch.float32,
        ignore_mismatched_sizes: bool = False,
        config: BertConfig | None = None,
        state_dict: Mapping[str, Tensor] | None = None,
        make: Callable[[BertConfig], Self] | None = None,
        **changes: Any,
    ) -> Self:
        """The model in a folder, in `eval` mode; `load_report` says what became of every tensor.

        Args:
            folder: holds `config.json` and weights.
            dtype: of the weights in memory: a type, its name, or `auto`, that of the file's first weights.
            ignore_mismatched_sizes: start a head afresh where its shape in the file differs.
            config: in place of the file's.
            state_dict: in place of the weights.
            make: builds the model; None: its class.
            **changes: laid over the config, such as `num_labels=3`.

        Raises:
            BertwrightError: BW302 a file is missing, BW310 to BW314 the config, BW315 no such `dtype`, BW320 and BW321
                the weight file, BW322 encoder tensors are missing, BW323 tensors of another shape, BW342 an encoder
                that the file knows under another name, BW347 the config asks for far more than the weights hold.
        """
        if config is None:
            config = cls.config_class.from_pretrained(folder, **changes)
        else:
            config = config.changed(**changes)
        is_ours = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
        if (unknown := config.unknown_keys()) and is_ours:
            file = folder / "config.json"
            log.warning(said("{file}: keys without effect here: {keys}", file=file, keys=shown(unknown)))
        file = weight_file(folder) if state_dict is None else Path("state_dict")
        tensors = read_tensors(file) if state_dict is None else to_theirs(state_dict)
        refuse_layers_without_weights(config, tensors, file)  # before they are built
        device = _device_of_now()
        with torch.device("meta" if is_ours else device):
            model = cls(config) if make is None else make(config)
        dtype = _type_of_weights(dtype, tensors.values())
        if is_ours:
            model._fill(tensors, file, dtype, ignore_mismatched_sizes, device)
        else:
            model._fill_in_place(tensors, file, dtype, ignore_mismatched_sizes)
        for module in model.modules():  # of a model that somebody builds around it
            mark_started(module)
        return model.eval()

    def _fill(
        self, tensors: Mapping[str, Tensor], file: Path, dtype: torch.dtype, ignore: bool, device: torch.device
    ) -> None:
        """Give a model without memory the `tensors` of a file, and fresh values for the rest."""
        wanted = {name: parameter.shape for name, parameter in self.named_parameters()}
        found, report = match(tensors, wanted, file)
        self.load_report = report
        refuse_gaps(report, ignore)
        refuse_too_much(report.fresh, wanted, found, file)
        # In memory of its own, and in rows: where a tensor is mapped from the file, its alignment depends on the file's
        # header, and a `.bin` may hold columns; matrix libraries round by both. A resumed run must compute what the
        # uninterrupted one does.
        state = {name: tensor.contiguous().to(device, dtype, copy=True) for name, tensor in found.items()}
        state |= {name: torch.empty(wanted[name], dtype=dtype, device=device) for name in report.fresh}
        self.load_state_dict(state, assign=True)
        self.requires_grad_(True)
        self.initialise(only=set(report.fresh))
        self.hold_constants()

    def _fill_in_place(self, tensors: Mapping[str, Tensor], file: Path, dtype: torch.dtype, ignore: bool) -> None:
        """The same of a model of somebody's own, whose constructor may do anything: what it made is written over.

        What its constructor froze stays frozen, what it tied stays tied; buffers are tensors like any other.
        """
        ours, theirs = f"{self.base_model_prefix}.", names.PREFIX
        at = {_moved(name, ours, theirs): name for name, _ in self.named_parameters()}
        wanted = {name: self.get_parameter(own).shape for name, own in at.items()}
        found, report = match({_moved(name, ours, theirs): one for name, one in tensors.items()}, wanted, file)
        if _knows_it_by_another_name(self, report):
            raise BertwrightError("BW342", model=type(self).__name__, prefix=self.base_model_prefix, file=file)
        self.load_report = report
        refuse_gaps(report, ignore)
        self.to(dtype)
        own = self.state_dict(keep_vars=True)
        buffers = {name: tensors[name] for name, one in own.items() if name in tensors and not _is_learnt(one)}
        report.unused[:] = [name for name in report.unused if name not in buffers]
        self.load_state_dict({at[name]: one for name, one in found.items()} | buffers, strict=False)
        fresh = {at[name] for name in report.fresh}
        for path, module in self.named_modules():
            learnt = [f"{path}.{name}" if path else name for name, _ in module.named_parameters(recurse=False)]
            if learnt and fresh.issuperset(learnt) and not is_started(module):
                self._init_weights(module)
        self.hold_constants()

    def _init_weights(self, module: nn.Module) -> None:
        raise NotImplementedError

    def hold_constants(self) -> None:
        """Take out of the training what is never learnt; nothing, in most models."""

    def save_pretrained(
        self, folder: str | Path, *, state_dict: Mapping[str, Tensor] | None = None, **more: Any
    ) -> None:
        """Write `config.json` and `model.safetensors` as `transformers` reads them.

        Args:
            folder: made where it is missing.
            state_dict: in place of the model's own tensors.
            **more: `is_main_process`, False: another process writes; `max_shard_size`: the weights are one file
                whatever it says; `safe_serialization=False` is told that no pickle is written.

        Raises:
            BertwrightError: BW316 and BW317 an argument that cannot be honoured or is unknown, BW501 where the disk or
                the permissions do not allow it.
        """
        is_writer = more.get("is_main_process", True)
        more.pop("max_shard_size", None)
        if more.pop("safe_serialization", True) is False:
            log.warning(said("{folder}: written as model.safetensors; no pickle is made", folder=folder))
        settle_saving(f"{type(self).__name__}.save_pretrained", more)
        if not is_writer:
            return
        unseal(Path(folder))
        named = self.architecture or type(self).__name__
        self.config.write(folder, architectures=[named], dtype=str(self.dtype).removeprefix("torch."))
        write_tensors(
            self._tensors() if state_dict is None else _each_once(state_dict), Path(folder) / "model.safetensors"
        )

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters, tied ones once, and the buffers that belong to a state."""
        of_state = self.state_dict(keep_vars=True)
        buffers = {name: tensor for name, tensor in of_state.items() if not _is_learnt(tensor)}
        return {**dict(self.named_parameters()), **buffers}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._first().device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self._first().dtype

    def _first(self) -> Tensor:
        return next(self.parameters())


def _knows_it_by_another_name(model: Pretrained, report: LoadReport) -> bool:
    """Whether a model, in which an encoder stands, has found nothing of one in a file that holds one."""
    has_encoder = any(name.endswith("embeddings.word_embeddings.weight") for name, _ in model.named_parameters())
    in_file = any(names.canonical(name) == "embeddings.word_embeddings.weight" for name in report.unused)
    return has_encoder and in_file and all(map(names.is_head, report.loaded))


def _device_of_now() -> torch.device:
    """Where new tensors are made; in memory where that is no place for weights."""
    device = torch.empty(0).device
    return torch.device("cpu") if device.type == "meta" else device


def _moved(name: str, prefix: str, to: str) -> str:
    return to + name.removeprefix(prefix) if name.startswith(prefix) else name


def _is_learnt(tensor: Tensor) -> bool:
    return isinstance(tensor, nn.Parameter)


def _each_once(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a state; of those that lie in the same memory, which are tied, the first."""
    found = {name: one for name, one in state.items() if isinstance(one, Tensor)}
    first = {(one.data_ptr(), one.shape): name for name, one in reversed(found.items()) if one.numel()}
    return {name: one for name, one in found.items() if not one.numel() or first[one.data_ptr(), one.shape] == name}


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
