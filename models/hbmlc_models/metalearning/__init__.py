"""MLAM, the meta-learned adaptation module: a network that a few anchors fit to a tile."""
