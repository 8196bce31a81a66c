"""Files are whole or not there, and there is one list of the formats of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.files import PICTURE_FORMATS, replacing
from forecast.report.picture_file import check_picture_path


def test_a_file_that_breaks_off_leaves_the_earlier_one_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("before")

    def broken() -> None:
        with replacing(path) as temporary:
            assert temporary.suffix == ".html" and temporary.parent == tmp_path
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_an_earlier_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "sweep.zarr"
    for name in ("first", "second"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [one.name for one in path.iterdir()] == ["second"] and list(tmp_path.iterdir()) == [path]


def test_every_format_that_pictures_can_be_asked_for_is_an_ending_that_is_taken(tmp_path: Path) -> None:
    from forecast.cli.pictures import pictures

    (kind,) = [one for one in pictures.params if one.name == "kind"]
    assert tuple(kind.type.choices) == PICTURE_FORMATS  # type: ignore[attr-defined]
    for one in PICTURE_FORMATS:
        check_picture_path(tmp_path / f"picture.{one.upper()}")
