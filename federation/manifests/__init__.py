"""Kubernetes objects and Jobs as plain data, and what a module becomes of its catalogue row and its settings."""
