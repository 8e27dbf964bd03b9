"""How a program asks the guard: over HTTP, in the same process, or as a layer around an ASGI application."""
