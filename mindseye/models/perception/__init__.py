"""Encoders and decoders for every observation space."""
