"""How the world reaches us: translate in, one call, translate out."""
