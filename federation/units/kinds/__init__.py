"""What each kind of unit does: one row per kind."""
