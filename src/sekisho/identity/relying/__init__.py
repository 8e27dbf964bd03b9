"""Logging in with another institution's ID: an OpenID Connect relying party."""
