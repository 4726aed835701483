"""Keys, certificates and authorities. No domain."""
