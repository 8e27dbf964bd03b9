"""What the people at the desks see: views over what the guard decided, without a word of HTML."""
