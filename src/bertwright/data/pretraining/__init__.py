"""From a corpus store to what a model is pre-trained on: pairs and masks, drawn when they are asked for."""
