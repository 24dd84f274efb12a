"""Examples to losses, decoded answers and scores. One file a task."""
