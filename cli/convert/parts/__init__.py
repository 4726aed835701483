"""Keys of KubeFATE that are read together, by subject."""
