"""Texts to ids and back, in the words of `transformers`."""
