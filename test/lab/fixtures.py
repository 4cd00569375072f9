"""What the tests of the lab and those of test/net stand on: a wire, a folder."""
import pytest

import lab


@pytest.fixture
def network():
    with lab.Network() as made:
        yield made


@pytest.fixture
def folder(tmp_path):
    """One that the unprivileged roles can reach."""
    for parent in [tmp_path, *tmp_path.parents]:
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    return tmp_path
