"""What computes the outputs of a model: an engine, and the one runner over it."""
