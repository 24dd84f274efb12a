"""Files that nobody means well with, made from good ones by a seed."""
