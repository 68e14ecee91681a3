"""Migrations of the database schema; they ship with the package."""
