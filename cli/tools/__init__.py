"""What the command runs and prints with; no feature."""
