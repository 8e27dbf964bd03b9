"""The ledger: double entry in yen, in two phases, sealed entry by entry."""
