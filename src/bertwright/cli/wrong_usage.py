"""Wrong usage in our words: what the library of the command line noticed, as one message of ours."""

from __future__ import annotations

import re
from typing import Any

import typer

from bertwright.errors import BertwrightError, nearest
from bertwright.habits import habit, verb_for
from bertwright.wording import Phrase, shown

# Of click, or of typer's own copy of it: which of the two it is depends on the version of typer.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_NAMES_OF_DATA = (
    "train",
    "data",
    "train-file",
    "training-file",
    "train-data",
    "train-path",
    "file",
    "input",
    "dataset",
)


def as_message(error: Any, group: Any) -> BertwrightError:
    """The message for a `UsageError` of the library.

    Codes: BW105 no such option, BW107 a value that does not fit, BW135 no such verb, BW136 something is missing,
    BW137 words too many, BW139 an option without its value, or with one that it does not take.
    """
    kind, ctx = type(error).__name__, error.ctx
    command = ctx.command if ctx is not None else group
    verb = command.name if command is not group else ""
    asked = f"bertwright {verb} --help" if verb else "bertwright --help"
    if kind == "NoSuchOption":
        return _no_such_option(error.option_name, command, verb, asked)
    if kind == "BadOptionUsage":
        takes_none = "not take" in error.message
        return (
            option_without_value(error.option_name)
            if not takes_none
            else BertwrightError(
                "BW139",
                option=error.option_name,
                reason=Phrase("it is on or off, and takes no value"),
                word=error.option_name,
            )
        )
    if kind == "MissingParameter":
        return BertwrightError("BW136", what=_called(error.param), command=asked, usage=_usage(command, verb))
    if kind == "BadParameter":
        name = error.param_hint or (_called(error.param) if error.param is not None else "?")
        return BertwrightError("BW107", option=name, reason=_reason(error), command=asked)
    extra = re.search(r"extra arguments?(?:\(s\))? \((.*)\)", error.message, re.DOTALL)
    if extra:
        return BertwrightError("BW137", words=extra[1][:200], command=asked, usage=_usage(command, verb))
    unknown = re.search(r"No such command '(.*?)'", error.message, re.DOTALL)
    if unknown:
        word = unknown[1]
        near = verb_for(word, group.commands)
        way = Phrase("you may mean: {command}", command=f"bertwright {near}")
        if not near:
            way = Phrase("what each of them does: {command}", command=asked)
        return BertwrightError("BW135", word=word[:100], known=shown(group.commands, 20), way=way)
    if "Missing command" in error.message:
        return BertwrightError("BW136", what=Phrase("a verb"), command=asked, usage="bertwright VERB …")
    return BertwrightError("BW107", option=verb or "bertwright", reason=error.message, command=asked)


def option_without_value(option: str) -> BertwrightError:
    """BW139: an option that needs a value stands without one."""
    return BertwrightError("BW139", option=option, reason=Phrase("its value is missing"), word=f"{option} …")


def _no_such_option(option: str, command: Any, verb: str, asked: str) -> BertwrightError:
    names = [name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")]
    settings = _settings_of(verb)
    near = habit(option, names) or nearest(option, names, 0.75)
    if not near and settings:
        key = nearest(option.strip("-").replace("-", "_"), settings)
        near = f"{key}=…" if key else ""
    near = near or nearest(option, names)
    if option.strip("-").replace("_", "-") in _NAMES_OF_DATA and any(
        one.name in ("train", "data") for one in command.params
    ):
        known = Phrase("the file stands without an option: {command}", command=_usage(command, verb))
        return BertwrightError("BW105", option=option[:100], verb=verb, way=known)
    known = Phrase("did you mean {near}? All options: {command}", near=near, command=asked)
    if not near:
        known = Phrase("all options: {command}", command=asked)
    return BertwrightError("BW105", option=option[:100], verb=verb or "bertwright", way=known)


def _settings_of(verb: str) -> list[str]:
    if verb == "finetune":
        from bertwright.training.finetuning.task_settings import every_setting

        return list(every_setting().model_fields)
    if verb == "pretrain":
        from bertwright.training.pretraining.pretrain_settings import PretrainSettings

        return list(PretrainSettings.model_fields)
    return []


def _called(param: Any) -> str:
    """An option by its longest name, an argument as the usage writes it."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name).upper()


def _usage(command: Any, verb: str) -> str:
    pieces = [_called(one) for one in command.params if one.param_type_name == "argument" and one.required]
    pieces += [f"{_called(one)} …" for one in command.params if one.param_type_name == "option" and one.required]
    return " ".join(["bertwright", *([verb] if verb else []), *pieces])


def _reason(error: Any) -> Phrase | str:
    from pydantic import ValidationError

    from bertwright.settings import reason_of

    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return reason_of(cause.errors()[0])
    reason = error.message
    return reason if isinstance(reason, (str, Phrase)) else str(reason)
