"""A FATE cluster."""
