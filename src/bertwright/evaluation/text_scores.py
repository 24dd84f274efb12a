"""How near written texts are to those that were wished for.

ROUGE, BLEU and chrF are those of the packages `rouge-score` and `sacrebleu`; both belong to the extra `generation`.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Sequence

from bertwright.text.han import count_han
from bertwright.wording import said, worded

log = logging.getLogger("bertwright")

_UNIT = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\W_\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+")
_PACKAGES = {"sacrebleu": "BLEU and chrF", "rouge_score": "ROUGE"}
_told: set[str] = set()


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal but for spaces and capitals, which an uncased model cannot know."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def exact_match(outputs: Sequence[str], targets: Sequence[str]) -> float:
    """The share of outputs that are `same_text` as their targets."""
    return sum(map(same_text, outputs, targets)) / max(len(targets), 1)


def text_scores(outputs: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """`rouge1`, `rouge2`, `rougeL` (F1, 0 to 1), `bleu` and `chrf` (0 to 100), as far as their packages are there.

    Chinese is scored by characters. Capitals do not count. What is missing is said once.
    """
    found: dict[str, float] = {}
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    for name in set(missing) - _told:
        _told.add(name)
        log.info(
            said(
                "no {scores}: {package} is not installed (to get it: pip install 'bertwright[generation]')",
                scores=worded(_PACKAGES[name]),
                package=name,
            )
        )
    if "rouge_score" not in missing:
        found |= rouge(outputs, targets)
    if "sacrebleu" not in missing:
        found |= bleu_and_chrf(outputs, targets)
    return found


class _Units:
    """What ROUGE counts: words of alphabets, and single characters of Chinese."""

    def tokenize(self, text: str) -> list[str]:
        """Both, in their order, in small letters."""
        return _UNIT.findall(text.lower())


def rouge(outputs: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """ROUGE-1, ROUGE-2 and ROUGE-L, means of the F1 of each text (Lin 2004)."""
    from rouge_score.rouge_scorer import RougeScorer

    names = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(names, tokenizer=_Units())
    rows = [scorer.score(target, output) for output, target in zip(outputs, targets)]
    return {name: sum(row[name].fmeasure for row in rows) / max(len(rows), 1) for name in names}


def bleu_and_chrf(outputs: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """BLEU (Papineni et al. 2002) and chrF2 (Popović 2015) of the whole, as sacrebleu counts them in small letters."""
    import sacrebleu

    small = [text.lower() for text in outputs], [text.lower() for text in targets]
    letters = sum(len(text) for text in targets)
    is_chinese = 2 * sum(count_han(text) for text in targets) > letters
    bleu = sacrebleu.corpus_bleu(small[0], [small[1]], tokenize="zh" if is_chinese else "13a")
    chrf = sacrebleu.corpus_chrf(small[0], [small[1]])
    return {"bleu": float(bleu.score), "chrf": float(chrf.score)}
