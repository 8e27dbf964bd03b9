"""The lender: a credit line by its terms, what it costs, how it is paid back."""
