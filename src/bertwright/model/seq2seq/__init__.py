"""An encoder that reads and a decoder that writes."""
