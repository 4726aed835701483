"""Identity, passwords, certificate authorities."""
