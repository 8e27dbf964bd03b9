"""The page for people: one file that works offline, in two languages, light and dark."""
