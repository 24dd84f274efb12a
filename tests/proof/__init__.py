"""What the code computed before it was moved: short runs whose results may not change."""
