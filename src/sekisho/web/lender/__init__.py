"""The lender's member service on the web: the shared member pages, and what is the lender's own."""
