"""Encoded sources to outputs, token by token."""
