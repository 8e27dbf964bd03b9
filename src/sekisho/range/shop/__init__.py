"""A shop of the outside: its till calls the wallet as any merchant's would."""
