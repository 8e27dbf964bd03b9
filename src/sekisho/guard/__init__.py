"""The decision in the request path: is this attempt the member, or somebody with the member's password?"""
