"""BHCM, the Bayesian hierarchical causal module: which galaxies got a spectrum, and what follows."""
