"""An exchange: the hub of a star."""
