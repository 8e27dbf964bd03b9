"""What follows a campaign: switches, containment, cases, claims, reports."""
