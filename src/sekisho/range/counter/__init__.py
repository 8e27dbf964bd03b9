"""A bank's counter, where somebody opens an account with cash in hand: for trying out."""
