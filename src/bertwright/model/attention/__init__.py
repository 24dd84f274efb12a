"""Attention over ragged batches: `attend`, and what it is made of."""
