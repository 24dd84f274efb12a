"""Predictions and gold to numbers: pure functions on arrays."""
