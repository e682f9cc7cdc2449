pytest_plugins = ["pytest_claims.plugin.hooks"]
