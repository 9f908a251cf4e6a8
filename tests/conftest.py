"""What holds for all tests."""

import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import stores
from tests.support.shared import shared_folder

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Tests run on each core, and the threads of a library that wait for each other by spinning would take the cores from
# them: training the small regressors of manifests/retrain.py took eight times the CPU. It is read when the library is
# loaded, here and in the processes that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(scope="session")
def store_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an object store on loopback, one for all processes of a test run."""
    stores.skip_without_store()
    folder = shared_folder(tmp_path_factory)
    endpoint = stores.begun(folder)
    yield endpoint
    stores.left(folder)


@pytest.fixture
def bucket(store_endpoint: str) -> stores.Bucket:
    """A new folder of a bucket."""
    return stores.Bucket.at(store_endpoint, f"b{secrets.token_hex(6)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test: what is last of all is waited for by every process but one."""
    items.sort(key=lambda item: "test_hosts" not in item.nodeid)
