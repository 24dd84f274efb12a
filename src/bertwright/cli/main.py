"""The command `bertwright`. Only verbs that compute import torch, when they are called."""

from __future__ import annotations

import codecs
import errno
import io
import logging
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, get_args, get_type_hints

import typer

from bertwright.callers import at_the_command_line
from bertwright.cli import (
    converting,
    demo,
    doctoring,
    downloading,
    evaluating,
    exporting,
    finetuning,
    inspecting,
    predicting,
    preparing,
    pretrain_verb,
    vocab,
)
from bertwright.cli.typed_words import meant, options_first
from bertwright.cli.usage import Verb, Verbs
from bertwright.errors import BertwrightError
from bertwright.version import __version__
from bertwright.wording import LANGUAGES, said, shown

app = typer.Typer(
    name="bertwright",
    cls=Verbs,
    help="One toolkit for the whole life of a BERT, in Chinese and English.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the help of Rich costs a tenth of a second, a third of what help may take
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    demo.demo, finetuning.finetune, pretrain_verb.pretrain, evaluating.evaluate, evaluating.compare,
    predicting.predict, vocab.vocab, preparing.prepare, exporting.export, inspecting.inspect, downloading.download,
    converting.convert_data, doctoring.doctor,
):  # fmt: skip
    app.command(cls=Verb)(verb)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS, errno.EIO)
INTERRUPTED = 130  # what typer makes of Ctrl-C
_AS_JSON = "bertwright.as-json"  # how stdout writes what its encoding lacks


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bertwright {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: ARG001  (its callback answers)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    lang: Annotated[str, typer.Option(help="Language of all that is said: en or zh. Default: the locale's.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and errors on stderr.")] = False,
) -> None:
    """One toolkit for the whole life of a BERT, in Chinese and English."""
    if lang:
        if lang not in LANGUAGES:
            reason = said("{lang!r} is not one of: {known}", lang=lang, known=shown(LANGUAGES))
            raise typer.BadParameter(reason, param_hint="--lang")
        os.environ["BERTWRIGHT_LANG"] = lang
    logging.getLogger("bertwright").setLevel(logging.WARNING if quiet else logging.INFO)


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Remarks on stderr: plain lines, warnings marked."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        return said("warning: {message}", message=message) if record.levelno >= logging.WARNING else message


def main() -> None:
    """Run the command line; a user's mistake ends in one message and exit code 1 or 2."""
    with at_the_command_line():
        _run()


def _run() -> None:
    # Waiting threads sleep: beside busy programs, threads that spin make a training two to three times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _settle_streams()
    logger = logging.getLogger("bertwright")
    logger.addHandler(_StderrHandler(sys.stderr))
    logger.propagate = False
    stdout = sys.stdout  # typer puts another one in its place where a pipe breaks
    try:
        try:
            words = options_first(sys.argv[1:])
            _choose_language(words)
            command = typer.main.get_command(app)
            command.main(args=meant(words, lambda verb: _options_of(command, verb)), prog_name="bertwright")
        finally:
            stdout.flush()  # here, where what the disk says becomes a message
    except BertwrightError as error:
        _end(error)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print(said("stopped; what was saved before is whole"), file=sys.stderr)  # noqa: T201
        if isinstance(end.__context__, BrokenPipeError) and _has_no_reader(stdout):  # typer made a 1 of it
            _silence(stdout)
            sys.exit(0)
        raise
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        _silence(stdout)
        sys.exit(0)
    except (OSError, MemoryError, RuntimeError) as error:
        refused = _refusal(error)
        if refused is None:
            raise
        if refused.code == "BW570":
            _silence(stdout)
        _end(refused)


def _choose_language(words: Sequence[str]) -> None:
    """What `--lang` before the verb says, before anything is said."""
    for at, word in enumerate(words):
        if not word.startswith("-"):
            return
        name, equals, value = word.partition("=")
        value = value if equals else next(iter(words[at + 1 : at + 2]), "")
        if name == "--lang" and value in LANGUAGES:
            os.environ["BERTWRIGHT_LANG"] = value
            return


def _options_of(command: Any, verb: str) -> dict[str, str]:
    """The options of a verb: what kind of value follows, `number` or `text`; nothing behind a flag."""
    found = command.commands.get(verb)
    params = found.params if found else ()
    hints = get_type_hints(found.callback) if found else {}
    return {
        option: "" if one.is_flag else "number" if _is_number(hints.get(one.name)) else "text"
        for one in params
        if one.param_type_name == "option"
        for option in (*one.opts, *one.secondary_opts)
    } | {"--help": ""}


def _is_number(hint: Any) -> bool:
    return not {int, float}.isdisjoint(get_args(hint) or (hint,))


def _refusal(error: Exception) -> BertwrightError | None:
    """What the disk, the permissions or the memory refused; None for what nobody foresaw."""
    if isinstance(error, OSError):
        if error.errno in _NO_ROOM:
            return BertwrightError("BW570", reason=error.strerror)
        if error.errno in _REFUSED and error.filename:
            return BertwrightError("BW575", file=error.filename, reason=error.strerror)
    # That of torch is a RuntimeError; by its name, since importing torch would slow down `--help`.
    elif isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return BertwrightError("BW516", reason=(str(error).splitlines() or ["MemoryError"])[0])
    return None


def _end(error: BertwrightError) -> NoReturn:
    print(error.message(), file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_code)


def _settle_streams() -> None:
    """Let every standard stream be there, and stdout take every text."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was closed
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  (it stays open)
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error(_AS_JSON, _escaped)
        sys.stdout.reconfigure(errors=_AS_JSON)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""What an encoding lacks as `\uXXXX`: in a table it can be read, and in a line of JSON it is the same text."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end


def _has_no_reader(stream: TextIO) -> bool:
    """Whether it is the pipe that broke; where the system cannot say, nobody knows it."""
    if not hasattr(select, "poll"):
        return False
    asked = select.poll()
    asked.register(stream.fileno(), select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))


def _silence(stdout: TextIO) -> None:
    """Keep the interpreter from writing the rest of the output when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())


if __name__ == "__main__":
    main()
