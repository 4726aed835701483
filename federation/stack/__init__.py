"""From a stack file to its plan."""
