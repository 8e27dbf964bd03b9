"""Members and their credentials: who may do what, how sure we are, and what was shown to whom."""
