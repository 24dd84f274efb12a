"""Tasks that mark parts of texts."""
