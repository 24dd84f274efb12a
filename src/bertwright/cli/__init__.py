"""A person's words to calls of the rooms above. No logic of its own."""
