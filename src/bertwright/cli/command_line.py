"""Commands as people type them: help in their language, and settings as flags beside `key=value`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from bertwright.cli.helping import Page, help_of, paragraphs
from bertwright.cli.typed_words import in_plain_signs, is_a_setting, require_whole_quotes
from bertwright.cli.wrong_usage import option_without_value
from bertwright.errors import BertwrightError
from bertwright.habits import habit
from bertwright.wording import language

if TYPE_CHECKING:
    from bertwright.settings import Settings

_DATA = ("train", "data", "dev")
_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".parquet", ".txt", ".conll", ".gz", ".xz", ".zip", ".xlsx"}


class Group(TyperGroup):
    """The program."""

    context_class = Page


class Verb(TyperCommand):
    """A command: what a person typed is made plain before it is read, and looked at once it is."""

    context_class = Page

    def get_short_help_str(self, limit: int = 45) -> str:
        if language() == "zh" and self.help:
            return help_of(paragraphs(self.help)[0])
        return str(super().get_short_help_str(limit))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a command.

        Raises:
            BertwrightError: BW101 no such setting, BW116 a setting given twice, BW117 a second file,
                BW118 a run where data belongs, BW119
                an address where a file belongs, BW134 quotes that the shell does not know, BW139 no value.
        """
        options = {name for one in self.params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"}
        settings = _settings_of(self.name or "", args, options)
        args = in_plain_signs(args, options, set(settings.model_fields) if settings else set(), self.name or "")
        flags: list[str] = []
        if settings is not None:
            args, flags = _without_flags(args, options, settings)
        rest = list(super().parse_args(ctx, args))
        if ctx.resilient_parsing:
            return rest
        if self.name == "predict":
            require_whole_quotes(ctx.params.get("texts") or ())
        if any(one.name == "settings" for one in self.params):
            _lay_settings(ctx.params, flags)
        _check_files(ctx.params)
        return rest


def _settings_of(verb: str, args: Iterable[str], options: set[str]) -> type[Settings] | None:
    """The settings of a verb, where it has some and a word is none of its options; else nothing is imported."""
    strange = [word for word in args if len(word) > 1 and not word[0].isalnum() and word.split("=")[0] not in options]
    if not {"--help", "-h"}.isdisjoint(strange) or not strange:
        return None
    if verb == "finetune":
        from bertwright.training.finetuning.task_settings import every_setting

        return every_setting()
    if verb == "pretrain":
        from bertwright.training.pretraining.pretrain_settings import PretrainSettings

        return PretrainSettings
    return None


def _without_flags(args: list[str], options: set[str], settings: type[Settings]) -> tuple[list[str], list[str]]:
    """The words without `--NAME VALUE` of settings, and those as `key=value`."""
    from bertwright.settings import meant

    kept: list[str] = []
    flags: list[str] = []
    coming = iter(args)
    for word in coming:
        option, equals, value = word.partition("=")
        if word == "--":
            return [*kept, word, *coming], flags
        if not option.startswith("-") or len(option) < 3 or option in options:
            kept.append(word)
            continue
        name, is_flag = _setting_named(option, settings)
        if not name:
            kept.append(word)
        elif name not in settings.model_fields:
            raise BertwrightError("BW101", key=name, nearest=meant(name, settings.model_fields))
        elif equals:
            flags.append(f"{name}={value}")
        elif is_flag:
            flags.append(f"{name}={'false' if option.startswith('--no-') else 'true'}")
        else:
            given = next(coming, None)
            if given is None or given.startswith("--"):
                raise option_without_value(option)
            flags.append(f"{name}={given}")
    return kept, flags


def _setting_named(option: str, settings: type[Settings]) -> tuple[str, bool]:
    """The setting that a flag names, and whether the flag needs no value; an empty name where it names none."""
    name = option.lstrip("-").replace("-", "_")
    fields = settings.model_fields
    for key in (name, name.removeprefix("no_")):
        if key in fields and fields[key].annotation is bool:
            return key, True
    return (name if name in fields or habit(name, fields) else ""), False


def _lay_settings(params: dict[str, Any], flags: list[str]) -> None:
    """Put settings where they belong: flags beside words, and data that stands behind them before them."""
    first = "train" if "train" in params else "store"
    words = list(params["settings"] or ())
    data = params[first]
    if data is not None and not data.exists() and is_a_setting(str(data)):
        behind = next((word for word in words if "=" not in word), None)
        if behind is not None:
            words[words.index(behind)] = str(data)
            params[first] = Path(behind)
    for word in words:
        if "=" not in word and (Path(word).exists() or Path(word).suffix.lower() in _TABLES):
            raise BertwrightError("BW117", file=word, first=params[first])
    _require_one_value([*words, *flags], params)
    params["settings"] = [*words, *flags]


def _require_one_value(words: Iterable[str], params: Mapping[str, Any]) -> None:
    from bertwright.settings import setting_of

    given: dict[str, Any] = {name: params[name] for name in ("long", "head") if params.get(name) is not None}
    for word in words:
        key, value = setting_of(word)
        if key in given and given[key] != value:
            raise BertwrightError("BW116", key=key, first=given[key], second=value)
        given[key] = value


def _check_files(params: Mapping[str, Any]) -> None:
    for name, given in params.items():
        for file in given if isinstance(given, (list, tuple)) else (given,):
            if not isinstance(file, Path):
                continue
            kind, mark, rest = file.as_posix().partition(":/")
            if mark and kind.lower() in ("http", "https", "ftp", "s3", "hf"):
                raise BertwrightError("BW119", address=f"{kind}://{rest}", name=Path(rest).name.split("?")[0] or "data")
            if name in _DATA and (file / "run.json").is_file():
                raise BertwrightError("BW118", folder=file)
