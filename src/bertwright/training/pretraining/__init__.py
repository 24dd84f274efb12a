"""From a corpus store to a pre-trained BERT."""
