"""The ID on the web: the shared member pages, and OpenID Connect."""
