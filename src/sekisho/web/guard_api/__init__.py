"""The guard's HTTP service: attempts in, decisions out, outcomes back."""
