"""One file a step, numbered in the order in which they are taken."""
