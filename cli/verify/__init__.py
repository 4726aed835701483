"""The acceptance test of a party and of its links: jobs, and what their failures mean."""
