"""Synthetic legacy estates by the interface documents, in the real formats, each with its truth."""
