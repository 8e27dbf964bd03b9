"""The console's face: pages for the people at the desks, at a host name of their own."""
