"""The wallet: balances, identity levels, links to banks, charges, payments, sends."""
