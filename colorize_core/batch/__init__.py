"""Many photos through one model."""
