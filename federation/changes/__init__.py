"""What an edit does to running parties."""
