"""The lowest versions that setup.cfg allows are the ones that `make test-lowest` installs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builders import write_text
from tools.lowest import lowest


def _setup(folder: Path, install: str, extra: str = "pytest>=8") -> Path:
    sections = f"[options]\ninstall_requires =\n    {install}\n[options.extras_require]\ndev =\n    {extra}\n"
    return write_text(folder / "setup.cfg", sections)


def test_every_requirement_has_its_lowest_version(tmp_path: Path) -> None:
    """Requirements at run time and those of the extras give `name==version`; comments give nothing."""
    setup = _setup(tmp_path, "luigi>=3.6\n    # why\n    pyarrow>=17", "pytest-xdist>=3.6.1")
    assert list(lowest(setup)) == ["luigi==3.6", "pyarrow==17", "pytest-xdist==3.6.1"]


@pytest.mark.parametrize("requirement", ["luigi", "luigi<4", "luigi>=3.6,<4", "luigi>3"])
def test_a_requirement_without_a_lowest_version_is_refused(requirement: str, tmp_path: Path) -> None:
    """A range whose lowest version cannot be read off would go untested, so it is an error."""
    with pytest.raises(ValueError, match=rf"found '{requirement}'; expected name>=version"):
        list(lowest(_setup(tmp_path, requirement)))


def test_the_ranges_of_the_project_have_lowest_versions() -> None:
    """Each requirement of setup.cfg can be installed at its lowest version, none is named with two of them."""
    pinned = dict(each.split("==") for each in lowest())
    assert set(pinned) >= {"click", "luigi", "pyarrow", "pytest", "polars"}
    assert len(set(lowest())) == len(pinned)
