"""The sentences that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bertwright.data.examples import Example
from bertwright.data.tables import read_table


def sentiment_samples(language: str) -> list[Example]:
    """300 sentences in `en` or `zh`, labelled `positive` or `negative`, written for this project."""
    with resources.as_file(resources.files("bertwright") / "samples" / f"sentiment_{language}.tsv") as path:
        return read_table(Path(path), labelled=True).examples
