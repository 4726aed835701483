"""FATE-Serving, and its exchange."""
