"""What every test may use."""

from hypothesis import settings

pytest_plugins = ["steady.testing.plugin"]

# Machines differ in speed: no test is decided by the time that it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
