"""The lender's face towards its network of smartphone ATMs."""
