"""Handlers: each parses, makes one call and returns."""
