"""A folder and texts to answers."""
