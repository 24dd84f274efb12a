"""Raw texts of any size to a store of token ids, and what is drawn from it."""
