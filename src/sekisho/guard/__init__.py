"""The decision in the request path.

Is this attempt the member, or somebody with the member's password?
"""
