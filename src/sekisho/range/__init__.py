"""A small world with honest members and attackers, played over HTTP against the real thing."""
