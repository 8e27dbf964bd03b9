"""The guard's memory between one run and the next."""
