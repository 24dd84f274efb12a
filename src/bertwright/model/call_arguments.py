"""Which arguments of `from_pretrained` and `save_pretrained` do what, change nothing, or cannot be honoured."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from bertwright.errors import BertwrightError
from bertwright.model.config_keywords import USUAL
from bertwright.wording import Phrase

# What is done anyway, whatever they say: weights are read from either kind of file and without a second copy, every
# attention computes the same, no code comes with a model.
_HARMLESS = {
    "low_cpu_mem_usage", "use_safetensors", "attn_implementation", "experts_implementation", "trust_remote_code",
    "weights_only", "_fast_init", "offload_folder", "offload_state_dict", "offload_buffers", "tqdm_class",
    "max_memory", "allow_all_kernels",
}  # fmt: skip
_HARMLESS_IN_SAVING = {
    "is_main_process", "save_function", "token", "use_auth_token", "save_peft_format", "commit_message",
    "save_original_format",
}  # fmt: skip
_SMALLER = Phrase("leave it out; dtype=torch.bfloat16 halves the memory")
_WAYS_OUT = {  # what asks for something else where it is not False or None
    "from_tf": Phrase("convert the checkpoint once with the library that wrote it (to model.safetensors)"),
    "from_flax": Phrase("convert the checkpoint once with the library that wrote it (to model.safetensors)"),
    "gguf_file": Phrase("give a folder with config.json and model.safetensors"),
    "variant": Phrase("leave it out and say dtype=torch.float16 for half precision"),
    "quantization_config": _SMALLER,
    "load_in_8bit": _SMALLER,
    "load_in_4bit": _SMALLER,
    "tp_plan": Phrase("leave it out; torch.nn.parallel runs the model on several devices"),
    "tp_size": Phrase("leave it out; torch.nn.parallel runs the model on several devices"),
    "device_mesh": Phrase("leave it out; torch.nn.parallel runs the model on several devices"),
    "distributed_config": Phrase("leave it out; torch.nn.parallel runs the model on several devices"),
    "adapter_name": Phrase("load the model and give it to peft.PeftModel.from_pretrained"),
    "adapter_kwargs": Phrase("load the model and give it to peft.PeftModel.from_pretrained"),
    "key_mapping": Phrase("rename the tensors and pass them as state_dict="),
    "generation_config": Phrase("leave it out: an encoder writes no text"),
    "use_kernels": Phrase("leave it out: the fastest attention of the device is taken anyway"),
    "kernel_config": Phrase("leave it out: the fastest attention of the device is taken anyway"),
    "return_unused_kwargs": Phrase("leave it out"),
    "proxies": Phrase("leave it out and set the environment variable HTTPS_PROXY"),
    "mirror": Phrase("leave it out and set the environment variable HF_ENDPOINT to the mirror"),
    "push_to_hub": Phrase("leave it out and upload the folder with huggingface_hub.upload_folder"),
}


def settle(call: str, arguments: dict[str, Any], harmless: frozenset[str] = frozenset(_HARMLESS)) -> None:
    """Take out of `arguments` what changes nothing, and refuse what asks for something that is not here.

    Raises:
        BertwrightError: BW316 for an argument of the peers that `call` cannot honour.
    """
    for name in [name for name in arguments if name in harmless or name in _WAYS_OUT]:
        value = arguments.pop(name)
        if name in _WAYS_OUT and value not in (None, False, "default", {}):
            raise BertwrightError("BW316", call=call, argument=name, value=value, way_out=_WAYS_OUT[name])


def settle_saving(call: str, arguments: dict[str, Any]) -> None:
    """The same of saving, which knows no others.

    Raises:
        BertwrightError: BW316 for an argument of the peers that cannot be honoured, BW317 for an unknown one.
    """
    settle(call, arguments, frozenset(_HARMLESS_IN_SAVING))
    if name := next(iter(arguments), None):
        raise BertwrightError("BW317", call=call, argument=name, known="state_dict, is_main_process, max_shard_size")


def device_of(call: str, device_map: Any) -> torch.device | None:
    """The one device that `device_map` names: its name, its number, or a map of everything to it; None: the CPU.

    Raises:
        BertwrightError: BW316 for a map over several devices, or a way of finding one.
    """
    where = device_map
    if isinstance(device_map, Mapping):
        where = device_map[""] if device_map.keys() == {""} else "several"
    try:
        return None if where is None else torch.device(where)
    except (RuntimeError, TypeError) as error:
        way_out = Phrase('name one device, such as device_map="cpu" or device_map="cuda:0"')
        raise BertwrightError("BW316", call=call, argument="device_map", value=device_map, way_out=way_out) from error


def for_constructor(kind: type, arguments: dict[str, Any], of_config: set[str]) -> dict[str, Any]:
    """What of `arguments` the constructor of the model takes and its config does not; it is taken out of these."""
    parameters = inspect.signature(kind).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    names = [
        name
        for name in arguments
        if name not in of_config | USUAL.keys() and name != "config" and (takes_any or name in parameters)
    ]
    return {name: arguments.pop(name) for name in names}
