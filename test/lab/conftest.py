"""The options of the lab, and the table of what was booted and how fast."""
import pytest

import matrix
from fixtures import folder, network  # noqa: F401


def pytest_addoption(parser):
    parser.addoption("--matrix", metavar="FILE",
                     help="write the table of what boots how there")
    parser.addoption("--peer", action="store_true",
                     help="time each boot beside dnsmasq too")


def pytest_configure(config):
    config.addinivalue_line("markers",
                            "always: runs with `make test`; the rest with `make lab`")
    config.addinivalue_line("markers", "install: an hour or so, by `make lab-install` alone")
    config.pluginmanager.register(matrix.Table(config), "boot-matrix")


@pytest.fixture
def media(folder):
    (folder / "media").mkdir()
    return folder / "media"


def pytest_collection_modifyitems(config, items):
    """What takes an hour runs when it is asked for."""
    if "install" not in config.getoption("-m"):
        items[:] = [item for item in items if not item.get_closest_marker("install")]
