"""The conversion table: one row for each key of KubeFATE, by subject."""
