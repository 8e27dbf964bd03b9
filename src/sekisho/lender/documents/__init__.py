"""The documents that the law wants: before the contract, at the contract, and for each payment."""
