"""Small programs in the words of `transformers`, one for each pattern of the field, run with both libraries.

`python -m tests.programs` counts how many run here, and how many give the peer's numbers.
"""
