"""The HTTP faces of shared signals: discovery, streams, push and poll."""
