"""FATE-Flow 2.x, as verbs of this command talk to it."""
