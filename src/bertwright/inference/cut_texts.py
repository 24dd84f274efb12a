"""Texts of which a model did not read everything."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bertwright.data.windows import Reading
from bertwright.errors import quantity
from bertwright.tasks.prediction import Prediction

log = logging.getLogger("bertwright")


def say_cut(predictions: Sequence[Prediction], reading: Reading) -> None:
    """Say how many texts were cut, if any were."""
    cut = sum(one.truncated for one in predictions)
    if cut:
        texts = quantity(cut, "text")
        log.warning("%s cut to %d tokens (long=%s) and scored so", texts, reading.max_length, reading.long)
