"""What stands between an account here and an account at a bank."""
