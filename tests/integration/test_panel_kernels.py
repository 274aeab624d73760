"""The checks of test_panel.py in other versions of ipykernel: each runs widget callbacks in a thread of its choice."""

from __future__ import annotations

import pytest

from . import kernels
from .conftest import running_kernel

# Collected again here, where `_kernel` is another one.
from .test_panel import (  # noqa: F401 - pytest collects and injects them by name
    busy,
    front,
    test_a_cell_runs_while_an_answer_streams,
    test_a_change_in_a_cell_shows_in_the_panel_and_the_other_way,
    test_a_click_while_a_cell_runs_is_not_lost,
    test_a_frontend_that_closes_all_widgets_while_it_runs,
    test_an_answer_streams_and_ends_while_a_cell_runs,
    test_an_interrupt_of_a_cell_leaves_the_panel_alone,
    test_shown_twice_it_is_the_same,
    test_stop_keeps_what_had_arrived,
    test_the_answer_streams_and_is_whole_at_last,
    test_unloading_takes_it_away_whatever_runs,
)

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


def test_it_is_that_version(kernel, version):
    assert kernel.value("__import__('ipykernel').__version__").startswith(f"{version}.")
