"""Compressed files and archives from outside, opened within limits: never more memory, disk or time than was agreed."""
