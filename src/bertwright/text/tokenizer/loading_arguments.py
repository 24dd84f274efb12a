"""Which arguments of `from_pretrained` and `save_pretrained` change nothing here, or cannot be honoured."""

from __future__ import annotations

from typing import Any

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, shown

# What is done anyway, or is of no concern to a BERT.
_HARMLESS = {
    "use_fast", "from_slow", "trust_remote_code", "config", "tokenizer_class", "tokenizer_type", "processor_class",
    "add_prefix_space", "legacy", "device_map", "dtype", "torch_dtype", "verbose", "name_or_path", "backend",
}  # fmt: skip
_HARMLESS_IN_SAVING = {
    "legacy_format", "safe_serialization", "save_format", "token", "use_auth_token", "commit_message",
    "is_main_process", "max_shard_size", "save_jinja_files",
}  # fmt: skip
_PROXY = Phrase("leave it out and set the environment variable HTTPS_PROXY")
_MIRROR = Phrase("leave it out and set the environment variable HF_ENDPOINT to the mirror")
_UPLOAD = Phrase("leave it out and upload the folder with huggingface_hub.upload_folder")
_WAYS_OUT = {
    "proxies": _PROXY,
    "mirror": _MIRROR,
    "push_to_hub": _UPLOAD,
    "gguf_file": Phrase("give a folder with vocab.txt or tokenizer.json"),
    "tokenizer_object": Phrase("save it as tokenizer.json in a folder and give the folder to from_pretrained"),
    "tokenizer_file": Phrase("give the folder of tokenizer.json to from_pretrained"),
    "never_split": Phrase("leave it out and call tokenizer.add_tokens with these words"),
    "split_special_tokens": Phrase("leave it out and pass split_special_tokens=True to the calls of the tokenizer"),
    "chat_template": Phrase("leave it out: a BERT reads texts, not conversations"),
}


def settle_loading(call: str, arguments: dict[str, Any]) -> None:
    """Take out of `arguments` what changes nothing, and refuse what asks for something that is not here.

    Raises:
        BertwrightError: BW316 for an argument of the peers that `call` cannot honour.
    """
    _refuse(call, arguments)
    if arguments.pop("do_basic_tokenize", True) is False:
        way_out = Phrase("leave it out and give words with is_split_into_words=True")
        raise BertwrightError("BW316", call=call, argument="do_basic_tokenize", value=False, way_out=way_out)
    for name in _HARMLESS & arguments.keys():
        del arguments[name]
    if (older := arguments.pop("max_len", None)) is not None:
        arguments.setdefault("model_max_length", older)


def settle_saving(call: str, arguments: dict[str, Any]) -> None:
    """The same of saving, which knows no others.

    Raises:
        BertwrightError: BW316 for an argument of the peers that cannot be honoured, BW317 for an unknown one.
    """
    prefix = arguments.pop("filename_prefix", None)
    if prefix:
        way_out = Phrase("leave it out and save into a folder of its own")
        raise BertwrightError("BW316", call=call, argument="filename_prefix", value=prefix, way_out=way_out)
    _refuse(call, arguments)
    if unknown := next((name for name in arguments if name not in _HARMLESS_IN_SAVING), None):
        raise BertwrightError("BW317", call=call, argument=unknown, known=shown(sorted(_HARMLESS_IN_SAVING)))


def _refuse(call: str, arguments: dict[str, Any]) -> None:
    for name in _WAYS_OUT.keys() & arguments.keys():
        value = arguments.pop(name)
        if value not in (None, False, {}, [], ()):
            raise BertwrightError("BW316", call=call, argument=name, value=value, way_out=_WAYS_OUT[name])
