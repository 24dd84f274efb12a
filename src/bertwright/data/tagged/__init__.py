"""Texts with marked parts: tag schemes, annotation formats, units."""
