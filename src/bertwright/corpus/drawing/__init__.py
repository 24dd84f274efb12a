"""Pairs of texts and masks, drawn from a store as functions of seed, epoch and place."""
