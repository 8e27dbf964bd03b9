"""Faces of the program: they parse, call a room and render."""
