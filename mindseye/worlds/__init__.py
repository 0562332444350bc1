"""What you can step."""
