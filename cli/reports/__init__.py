"""Images, releases, firewall sheet, topology, effects, rendered objects."""
