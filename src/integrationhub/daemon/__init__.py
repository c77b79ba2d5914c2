"""The daemon: its parts, its health, its metrics."""
