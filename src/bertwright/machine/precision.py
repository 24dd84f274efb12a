"""In which numbers a run computes."""

from __future__ import annotations

import logging
from functools import cache

import torch

from bertwright.errors import BertwrightError, hint
from bertwright.machine.matrix_rate import product_times
from bertwright.machine.processor import cpu_features
from bertwright.wording import said

log = logging.getLogger("bertwright")

_BF16_FEATURES = ("avx512_bf16", "amx_bf16", "bf16")  # x86 with and without tiles; ARM


KNOWN = ("auto", "fp32", "bf16")
_PROBED_WIDTH, _PROBES = 384, 5  # some milliseconds in all
_WORTH_IT = 1.2  # times the rate of fp32


def resolve_precision(wished: str, device: torch.device) -> str:
    """`fp32` or `bf16`; `auto` is bf16 where the device has instructions for it, and fp32 elsewhere.

    A wish for bf16 that the processor cannot compute fast is followed, and said.
    """
    able = has_bf16(device)
    if wished == "bf16" and device.type == "cpu" and not able:
        log.warning(
            said(
                "this processor has no instructions for bf16: a step may take a hundred times as long as in fp32 "
                "(precision=auto would choose fp32)"
            )
        )
    if wished != "auto":
        return wished
    return "bf16" if able else "fp32"


def has_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for products in bf16."""
    if device.type == "cpu":
        return bool(cpu_features().intersection(_BF16_FEATURES))
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def precision_of_answers(wished: str, device: torch.device) -> str:
    """`fp32` or `bf16`, for whoever answers or is judged: `predict`, `evaluate`, `compare`, the card of a run.

    `auto` is bf16 where the device has instructions for it and multiplies at least 1.2 times as fast by them.

    Raises:
        BertwrightError: BW155 a precision that is not known.
    """
    if wished not in KNOWN:
        raise BertwrightError("BW155", precision=wished, nearest=hint(wished, KNOWN), known=", ".join(KNOWN))
    chosen = resolve_precision(wished, device)
    if wished == "auto" and chosen == "bf16" and gain_of_bf16(device) < _WORTH_IT:
        return "fp32"
    return chosen


@cache
def gain_of_bf16(device: torch.device) -> float:
    """How many times as fast the device multiplies in bf16 as in fp32: a probe of some milliseconds, once a process.

    The quickest of several products counts, so that busy neighbours do not decide.
    """
    of_fp32, of_bf16 = (product_times(device, one, _PROBED_WIDTH) for one in (torch.float32, torch.bfloat16))
    taken = [(next(of_fp32), next(of_bf16)) for _ in range(_PROBES)]
    return min(fp32 for fp32, _ in taken) / min(bf16 for _, bf16 in taken)


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products are computed in bf16, or one that changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
