"""What changes parameters because of experience."""
