"""BHCM, the Bayesian hierarchical causal module: who got a spectrum, and what follows."""
