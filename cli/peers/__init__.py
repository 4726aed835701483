"""Descriptors, out and in."""
