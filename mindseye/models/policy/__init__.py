"""Policy heads for every action space."""
