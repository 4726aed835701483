"""The stack's own cluster."""
