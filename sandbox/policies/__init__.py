"""Enforces NetworkPolicy objects on the sandbox's real nodes, over nftables. No part of a deployment: real clusters have a plugin."""
