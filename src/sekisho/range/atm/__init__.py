"""A simulated smartphone ATM: a machine with cash of its own, a journal, and a screen."""
