"""A linear-chain CRF over ragged sequences."""
