"""What a unit is, and what all kinds of units share. A folder for each kind."""
