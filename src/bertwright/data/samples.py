"""The texts that come with the package, written for it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bertwright.data.examples import Example
from bertwright.data.reading.example_sources import read_examples


def sentiment_samples(language: str) -> list[Example]:
    """300 sentences in `en` or `zh`, labelled `positive` or `negative`, written for this project."""
    with resources.as_file(resources.files("bertwright") / "samples" / f"sentiment_{language}.tsv") as path:
        return read_examples(path, labelled=True).examples


def stories(language: str) -> Path:
    """The file of 40 short stories in `en` or `zh`, to try pre-training on: a blank line between two of them."""
    return Path(str(resources.files("bertwright") / "samples" / f"stories_{language}.txt"))
