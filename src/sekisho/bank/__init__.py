"""The bank: deposits, their holders, the authorisation of links, mandates and debits."""
