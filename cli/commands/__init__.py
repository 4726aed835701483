"""The verbs: from parsed arguments to what is printed and the exit status."""
