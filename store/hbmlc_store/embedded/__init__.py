"""Real servers out of wheels, for a laptop: PostgreSQL, Valkey and what keeps them together."""
