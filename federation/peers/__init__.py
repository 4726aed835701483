"""Who else is in the federation: descriptors, their signatures, and what this stack accepted."""
