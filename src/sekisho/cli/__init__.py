"""The command `sekisho`."""
