"""Texts that were answered though there was nothing to read in them: counted, and said in the end."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Sequence

from bertwright.data.examples import Example, Where, places_listed
from bertwright.tasks.prediction import DOUBTS, Prediction
from bertwright.wording import quantity, said

log = logging.getLogger("bertwright")

_PLACES = 4  # kept of each kind: three are named
_LIKE_A_MASK = re.compile(r"[<\[{(［【〈（]\s*mask\s*[>\]})］】〉）]|_{2,}|＿+", re.IGNORECASE)


class Doubts:
    """What was seen of such texts so far."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = defaultdict(int)
        self._places: dict[str, list[Where]] = defaultdict(list)
        self._like_a_mask = ""

    def note(self, examples: Sequence[Example], answers: Sequence[Prediction]) -> None:
        """Count the answers that say nothing of their examples."""
        for example, answer in zip(examples, answers):
            if answer.doubt:
                self._counts[answer.doubt] += 1
                if len(places := self._places[answer.doubt]) < _PLACES:
                    places.append(example.where)
                if answer.doubt == "unmasked" and not self._like_a_mask:
                    found = _LIKE_A_MASK.search(example.text)
                    self._like_a_mask = found[0] if found else ""

    def say(self) -> None:
        """One warning for each kind."""
        for kind, count in self._counts.items():
            places = self._places[kind]
            listed = places_listed(places[:3]) + (f", … (+{count - 3})" if count > 3 else "")
            log.warning(said(DOUBTS[kind].text, texts=quantity(count, "text"), places=listed))
        if self._like_a_mask:
            log.warning(said("{found} is no mask: write [MASK], in capitals", found=self._like_a_mask))
