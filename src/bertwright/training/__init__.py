"""Loss to better weights."""
