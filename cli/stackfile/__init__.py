"""Writing stack files."""
