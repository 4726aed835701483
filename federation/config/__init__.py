"""The stack file as models; each file describes the keys below one key of the stack file."""
