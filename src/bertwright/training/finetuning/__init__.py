"""From labelled texts to a run folder."""
