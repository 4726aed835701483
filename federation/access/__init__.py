"""Who may reach what beside links: network policies and consoles."""
