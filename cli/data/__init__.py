"""How data gets into FATE-Flow."""
