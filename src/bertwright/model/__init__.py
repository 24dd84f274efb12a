"""Ragged batches to scores."""
