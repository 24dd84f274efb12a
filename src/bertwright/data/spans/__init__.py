"""Texts with marked parts: readers, schemes of tags, and the units that a tagger tags."""
