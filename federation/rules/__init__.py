"""What no single unit knows: rules and warnings over a whole stack."""
