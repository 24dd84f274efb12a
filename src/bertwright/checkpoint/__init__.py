"""Folders to tensors, and back. This room knows names and tensors, not models."""
