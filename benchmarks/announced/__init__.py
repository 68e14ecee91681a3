"""The table that the method was announced with, on any examinations, and its two figures."""
