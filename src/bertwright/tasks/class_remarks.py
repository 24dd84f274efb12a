"""What labelled texts do not tell of a classifier."""

from __future__ import annotations

from collections.abc import Sequence

from bertwright.evaluation.class_scores import Ints, meaningless_metrics
from bertwright.evaluation.summary import Summary
from bertwright.wording import Phrase, said, shown, worded

_FEW = 10  # texts of a class
_ONE_CLASS = (
    "all examples are of the class '{label}': only the accuracy means something here, which is the recall of that "
    "class; {metrics} do not; no example of: {missing}"
)
_NO_EXAMPLE = (
    "no example of: {missing}; macro_f1 is the mean over the classes that occur among the true labels or the answers, "
    "as in scikit-learn"
)


def gaps(labels: Sequence[str], support: Ints) -> list[Phrase]:
    """Classes without an example; where all examples `[C]` are of one class, which metrics mean nothing."""
    missing = [name for name, count in zip(labels, support) if not count]
    if not missing:
        return []
    if names := meaningless_metrics(labels, support):
        facts = {"label": labels[int(support.argmax())], "metrics": ", ".join(names), "missing": shown(missing)}
        return [Phrase(_ONE_CLASS, **facts)]
    return [Phrase(_NO_EXAMPLE, missing=shown(missing))]


def metrics_note(summary: Summary) -> str:
    """Where the intervals come from, and what the metrics do not say."""
    note = said("The interval of the accuracy is Wilson's, the others come from resampling the texts.")
    support = summary.classes.support
    if missing := [name for name, count in zip(summary.labels, support) if not count]:
        missing_names = shown(missing)
        note = said("{note} No example of: {missing}.", note=note, missing=missing_names)
        if names := meaningless_metrics(summary.labels, support):
            note = said("{note} So {metrics} mean nothing here.", note=note, metrics=", ".join(names))
    return note


def limits(summary: Summary) -> list[str]:
    """What a user of the model should know, a sentence each."""
    lines = [said("It knows no class but those above, and answers with one of them whatever it is given.")]
    rare = [label for label, support in zip(summary.labels, summary.classes.support) if support < _FEW]
    if rare:
        listed = worded(", ").join(rare[:10]) + (", …" if len(rare) > 10 else "")
        lines.append(
            said("Fewer than {few} dev texts, so that their scores say little: {listed}.", few=_FEW, listed=listed)
        )
    return lines
