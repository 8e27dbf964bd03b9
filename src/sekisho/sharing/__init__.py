"""Shared signals between institutions: security event tokens, streams, transmitter and receiver (SSF 1.0)."""
