"""What every test may use."""

pytest_plugins = ["steady.testing.plugin"]
