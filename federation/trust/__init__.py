"""Which CA signs, and whom a unit trusts."""
