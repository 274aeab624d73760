"""The tests of test_panel.py with other versions of ipykernel, which run widget callbacks in different threads."""

from __future__ import annotations

import pytest

from . import kernels
from .conftest import running_kernel

# Collected again with another `_kernel` fixture.

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(
        kernels.folder() is None,
        reason="set AZML_KERNELS=1 to install and run ipykernel " + ", ".join(kernels.VERSIONS) + " (.ci/run does)",
    ),
]


@pytest.fixture(scope="module", params=kernels.VERSIONS)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def home(version, tmp_path_factory):
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def _kernel(version, home):
    try:
        python = kernels.python_of(kernels.folder(), version)
    except kernels.Unavailable as error:
        pytest.skip(f"ipykernel {version} cannot be installed: {error}")
    with running_kernel(home, str(python)) as kernel:
        yield kernel


def test_kernel_has_the_requested_version(kernel, version):
    assert kernel.value("__import__('ipykernel').__version__").startswith(f"{version}.")
