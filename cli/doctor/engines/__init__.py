"""The external engines."""
