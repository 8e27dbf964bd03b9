"""What holds for every test."""

from hypothesis import settings

# The same examples on every run and every machine, however busy it is: what fails here fails there.
settings.register_profile("sekisho", deadline=None, derandomize=True)
settings.load_profile("sekisho")
