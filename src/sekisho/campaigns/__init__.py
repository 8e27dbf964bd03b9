"""History becomes campaigns: who attacked, and whose account was entered."""
