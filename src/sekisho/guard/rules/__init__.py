"""Rules beside the score, one readable file each."""
