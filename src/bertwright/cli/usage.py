"""What typer makes of a command line, in the words of this house: help in both languages, mistakes as messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from bertwright.cli.helping import Page, help_of, place_names
from bertwright.errors import BertwrightError, nearest
from bertwright.habits import habit, verb_for
from bertwright.wording import language, said, shown, worded


class Verb(TyperCommand):
    """A command whose help and whose mistakes are in the language of the person."""

    context_class = Page

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, for the list of commands."""
        return help_of(self.help or "").split("\n\n")[0] if language() == "zh" else super().get_short_help_str(limit)

    def make_context(self, *given: Any, **more: Any) -> Any:
        """As of typer; a mistake on the command line is one message."""
        with _mistakes_told(self):
            return super().make_context(*given, **more)


class Verbs(TyperGroup):
    """The program."""

    context_class = Page

    def make_context(self, *given: Any, **more: Any) -> Any:
        """As of typer; a mistake on the command line is one message."""
        with _mistakes_told(self):
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """As of typer; a mistake in an option of the program is one message."""
        with _mistakes_told(self):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb of the first word.

        Raises:
            BertwrightError: BW117 there is no such verb.
        """
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            verbs = self.list_commands(ctx)
            meant = verb_for(args[0], verbs)
            command = f"bertwright {meant} --help" if meant in verbs else f"bertwright {meant or '--help'}"
            raise BertwrightError("BW117", verb=args[0], known=", ".join(verbs), command=command)
        return super().resolve_command(ctx, args)


@contextmanager
def _mistakes_told(command: Any) -> Iterator[None]:
    """What typer finds wrong in the block, as a message of ours."""
    try:
        yield
    except typer.BadParameter as error:
        raise _told(error, command) from error
    except Exception as error:  # the others of its kind are not public
        if not hasattr(error, "format_message") or type(error).__name__ == "NoArgsIsHelpError":
            raise
        raise _told(error, command) from error


def _told(error: Any, command: Any) -> BertwrightError:
    """A mistake that typer found, as a message of ours."""
    verb = "" if isinstance(command, TyperGroup) else f" {command.name}"
    ways = f"bertwright{verb} --help"
    kind = type(error).__name__
    if kind == "NoSuchOption":
        known = [option for one in command.params for option in getattr(one, "opts", ()) if option.startswith("-")]
        return BertwrightError(
            "BW105", option=error.option_name, verb=f"bertwright{verb}", command=ways,
            hint=_hint(error.option_name, known),
        )  # fmt: skip
    if kind == "MissingParameter":
        return BertwrightError("BW107", argument=_missing(error, command), verb=f"bertwright{verb}", command=ways)
    if kind == "BadOptionUsage" and "not take" not in error.message:
        return BertwrightError("BW119", option=error.option_name, verb=f"bertwright{verb}", command=ways)
    if kind == "BadParameter":
        name = error.param_hint or (error.param.opts[0] if error.param is not None else "?")
        return BertwrightError("BW116", option=name, reason=_reason(error.message), command=ways)
    return BertwrightError("BW118", reason=_reason(error.format_message()), command=ways)


def _missing(error: Any, command: Any) -> str:
    """All that must be given and was not: arguments as the usage line has them, options with their dashes."""
    given = error.ctx.params if error.ctx is not None else {}
    names = [
        one.opts[0] if one.param_type_name == "option" else place_names(one.metavar or one.name.upper())
        for one in command.params
        if one.required and given.get(one.name) in (None, (), [])
    ]
    return shown(names) or "?"


def _hint(option: str, known: Iterable[str]) -> str:
    """What an unknown option was probably meant to be."""
    known = list(known)
    close = habit(option, known) or nearest(option, known)
    return said("did you mean {option}?", option=close) + " " if close else ""


_REASONS = (
    (r"Missing command\.", "the command is missing"),
    (r"Input should be greater than or equal to (?P<ge>\S+)", "Input should be greater than or equal to {ge}"),
    (r"Input should be less than or equal to (?P<le>\S+)", "Input should be less than or equal to {le}"),
    (r"'(?P<value>.*)' is not a valid integer\.", "'{value}' is no whole number"),
    (r"'(?P<value>.*)' is not a valid float\.", "'{value}' is no number"),
    (r"(?P<value>.*) is not in the range (?P<range>.*)\.", "{value} is not in the range {range}"),
    (r"Got unexpected extra argument.{0,3} \((?P<words>.*)\)", "there are words too many: {words}"),
    (r"Option '(?P<option>.*)' does not take a value.*", "{option} takes no value"),
)


def _reason(message: str) -> str:
    for pattern, text in _REASONS:
        if found := re.fullmatch(pattern, message):
            return said(text, **found.groupdict())
    return worded(message)
