"""Settings of every test: hypothesis draws the same examples everywhere and knows no clock."""

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("project")
