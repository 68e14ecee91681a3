"""What hbmlc remembers: settings, database, job life cycle, registry, accounts and objects."""
