"""Self-checks of exercises, and the answers that they compare with."""
