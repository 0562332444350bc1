"""Published systems, each in one file."""
