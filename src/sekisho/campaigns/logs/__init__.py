"""Readers that turn logs into the attempt record."""
