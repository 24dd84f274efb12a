"""What a person should know about their data."""
