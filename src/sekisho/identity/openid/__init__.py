"""The OpenID Connect provider: who may ask for a login, what they are told, and how they prove it."""
