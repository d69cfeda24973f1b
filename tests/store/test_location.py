"""A store is made in a folder of its own."""

from pathlib import Path

import pytest

from assay.core.errors import UsageError
from assay.run.study import Study
from assay.store.location import require_place


@pytest.mark.parametrize("place", ["/", "/etc", "/etc/assay", "/usr", "/proc/self", "/dev", "~", "~/.."])
def test_a_folder_of_the_system_is_no_place(place):
    with pytest.raises(UsageError, match="is a folder of the system"):
        require_place(Path(place).expanduser())


def test_a_link_to_a_folder_of_the_system_is_no_place(tmp_path):
    (tmp_path / "link").symlink_to("/etc")

    with pytest.raises(UsageError, match="is a folder of the system"):
        require_place(tmp_path / "link" / "store")


@pytest.mark.parametrize("name", ["photo.jpg", ".ssh", "results.csv"])
def test_a_folder_with_other_files_is_no_place_and_stays_as_it_is(tmp_path, name):
    (tmp_path / name).write_text("mine")
    study = Study(tasks=["sklearn:digits"], models=["packaged:efficientnet_lite0"], store=tmp_path)

    with pytest.raises(UsageError, match=f"holds other files, such as '{name}'"):
        study.run()

    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "names", [(), ("results.sqlite", "notes.txt"), (".gitignore", "features", "writer.lock")]
)
def test_a_new_folder_an_empty_one_and_a_store_are_places(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()

    require_place(tmp_path)
    require_place(tmp_path / "new" / "store")
