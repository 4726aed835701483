"""What each kind of link does: one row per kind."""
