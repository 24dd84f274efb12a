"""Vocabularies: read, trained, extended."""
