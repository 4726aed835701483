"""The contract with charts/: one model for the values of each chart."""
