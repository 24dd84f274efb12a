"""What a run tells about itself: card, plots, files of answers."""
