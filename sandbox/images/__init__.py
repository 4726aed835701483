"""Images of containers for clusters with real nodes."""
