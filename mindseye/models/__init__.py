"""What predicts, encodes, scores."""
