"""The sentences that come with the package."""

from __future__ import annotations

from importlib import resources

from bertwright.data.examples import Example
from bertwright.data.sources import read_examples


def sentiment_samples(language: str) -> list[Example]:
    """300 sentences in `en` or `zh`, labelled `positive` or `negative`, written for this project."""
    with resources.as_file(resources.files("bertwright") / "samples" / f"sentiment_{language}.tsv") as path:
        return read_examples(path, labelled=True).examples
