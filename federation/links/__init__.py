"""How units reach each other: published Services, next hops, external engines."""
