"""The stages, one a file; each has ``run(work)``, which yields the units as they are done."""
