"""The members' pages that every institution with members has: login, sign-up, security, profile, notices."""
