"""KubeFATE's files to stack files."""
