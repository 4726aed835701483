"""Kubernetes control planes for organizations on this machine, without root or containers, and the tools they need."""
