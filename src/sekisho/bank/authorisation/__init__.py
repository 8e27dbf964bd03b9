"""The bank as authorisation server: which partner may ask, for what, what was allowed, by which token."""
