"""Tokens and rows to ragged batches."""
