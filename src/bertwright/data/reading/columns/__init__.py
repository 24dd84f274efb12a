"""Which column of a table holds the text, its partner and the label."""
