"""The steps by which a store's tables came to be what they are; each is written once and never changed."""
