"""The links to peers."""
