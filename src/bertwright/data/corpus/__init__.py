"""Corpora of any size to stores of token ids."""
