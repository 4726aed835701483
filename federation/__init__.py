"""The domain: pure models and decisions. It never imports pulumi."""
