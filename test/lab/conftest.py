def pytest_configure(config):
    config.addinivalue_line("markers",
                            "always: runs with `make test`; the rest with `make lab`")
