"""assay history: what a new user sees, adds, hands on and removes."""

from __future__ import annotations

import json
import unicodedata

import pytest

from assay.search.past import own_tables, shipped_tables


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HISTORY", str(tmp_path / "past"))
    return tmp_path / "past"


@pytest.fixture
def results(tmp_path):
    of_file = "torch:nets:net(checkpoint='/home/me/x.pth'),0.7,0.2"
    path = tmp_path / "results.csv"
    path.write_text(f"model,birds,sky\ntimm:resnet18.a1_in1k,0.5,0.1\n{of_file}\n", encoding="utf-8")
    return path


def test_a_new_user_sees_the_public_tables_with_licence_and_source(assay, folder):
    code, shown, _ = assay("history")

    assert code == 0
    (mteb,) = (line for line in shown.splitlines() if line.startswith("mteb"))
    assert mteb.split()[1:5] == ["45", "408", "text", "CC0-1.0"]
    assert "none of them yours" in shown
    assert not folder.exists()  # looking makes nothing


def test_no_name_is_cut_at_80_columns(assay, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    shown = assay("history")[1]

    assert max(map(len, shown.splitlines())) <= 80
    for table in shipped_tables():
        *_, name = table.source.partition("/tree/")[0].rsplit("/", 1)
        assert name in shown.split() or any(word.endswith(f"/{name}") for word in shown.split())


def test_what_is_added_is_listed_first_and_can_be_removed(assay, results):
    code, shown, _ = assay("history", "add", str(results), "--name", "mine")

    assert code == 0
    assert shown.splitlines()[-1] == "Added mine: 2 tasks, 2 models (image)"
    listed = assay("history")[1].splitlines()
    assert listed[2].split()[:5] == ["mine", "2", "2", "image", "yours"]
    assert assay("history", "remove", "mine")[:2] == (0, "Removed mine\n")
    assert own_tables() == ()


def test_adding_again_replaces_and_says_so(assay, results):
    assay("history", "add", str(results))

    _, shown, _ = assay("history", "add", str(results))

    assert "note: it replaces the earlier 'results'" in shown
    assert len(own_tables()) == 1


def test_a_store_of_the_same_name_from_elsewhere_does_not_replace_what_was_added(assay, results):
    assay("history", "add", str(results))
    results.write_text("model,sea\ntimm:resnet18.a1_in1k,0.5\nother,0.7\n", encoding="utf-8")

    code, _, complaint = assay("history", "add", str(results))

    assert code == 2
    assert "'results' already, with other tasks, such as 'birds'. Write another name with --name" in complaint
    assert set(own_tables()[0].values) == {"birds", "sky"}


def test_an_export_holds_numbers_and_names_without_paths_and_can_be_added_elsewhere(
    assay, results, tmp_path, monkeypatch
):
    assay("history", "add", str(results), "--name", "mine")

    code, shown, _ = assay("history", "export", "out.json")

    assert (code, shown) == (0, "Wrote mine to out.json: numbers and names only\n")
    text = (tmp_path / "out.json").read_text("utf-8")
    assert "/home/me" not in text
    assert json.loads(text)["table"]["birds"]["timm:resnet18.a1_in1k"] == 0.5
    monkeypatch.setenv("ASSAY_HISTORY", str(tmp_path / "of another"))
    assert assay("history", "add", "out.json")[1] == "Added mine: 2 tasks, 2 models (image)\n"
    assert own_tables()[0].values["sky"]["timm:resnet18.a1_in1k"] == 0.1


def test_paths_in_names_of_tasks_are_left_out_of_an_export_too(assay, results, tmp_path):
    text = results.read_text("utf-8").replace("birds", "folder:/home/me/birds")
    results.write_text(text, encoding="utf-8")
    assay("history", "add", str(results))

    assay("history", "export", "out.json")

    assert set(json.loads((tmp_path / "out.json").read_text("utf-8"))["table"]) == {"birds", "sky"}


def test_a_public_table_is_exported_by_its_name_as_a_matrix_that_others_read(assay):
    assert assay("history", "export", "parc.json", "--name", "parc")[0] == 0

    code, shown, _ = assay("across", "parc.json")

    assert code == 0
    assert "7 tasks" in shown


def test_names_with_letters_of_any_language_work_in_either_form(assay, results):
    name = unicodedata.normalize("NFD", "Vögel 鳥")

    assert assay("history", "add", str(results), "--name", name)[0] == 0

    assert [table.name for table in own_tables()] == [unicodedata.normalize("NFC", name)]
    assert assay("history", "remove", name)[0] == 0


@pytest.mark.parametrize("name", ["../up", "a/b", "", " ", ".hidden", "a\nb", "x" * 300, "C:\\x", "\udcff"])
def test_a_name_that_is_no_file_name_is_refused_and_nothing_is_written(assay, results, folder, name):
    code, _, complaint = assay("history", "add", str(results), "--name", name)

    assert code == 2
    assert "cannot be the name of a table" in complaint
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("add",), "Name a store or a file"),
        (("add", "nowhere"), "no store and no file 'nowhere'"),
        (("add", "results.csv", "--name", "mteb"), "comes with Assay"),
        (("add", "results.csv", "--modality", "smell"), "The modality is 'smell'. Write image, text, audio."),
        (("export", "out.json"), "You have added no results"),
        (("export", "out.csv"), "must end in .json"),
        (("export", "out.json", "--name", "mte"), "Did you mean: mteb?"),
        (("remove", "mteb"), "comes with Assay and stays"),
        (("remove", "../past"), "No table of your history called '../past'"),
        (("list", "mteb"), "lists all tables. Leave 'mteb' out."),
        (("empty",), "'empty' is not an action"),
    ],
)
def test_a_request_that_cannot_be_met_says_what_to_write(assay, results, arguments, complaint):
    code, shown, said = assay("history", *arguments)

    assert (code, shown) == (2, "")
    assert complaint in said


def test_an_export_of_several_tables_keeps_them_apart_under_a_new_name(assay, results, tmp_path):
    for name in ("one", "two"):
        assay("history", "add", str(results), "--name", name)

    assert assay("history", "export", "out.json")[0] == 0

    assert assay("history", "add", "out.json", "--name", "of Ana")[0] == 0
    assert [table.name for table in own_tables()] == ["of Ana one", "of Ana two", "one", "two"]


def test_a_damaged_table_of_the_user_is_named_and_the_others_are_listed(assay, results, folder, caplog):
    assay("history", "add", str(results))
    (folder / "worse.json").write_bytes(b'{"name": "wor')

    code, shown, _ = assay("history")

    assert code == 0
    assert "results" in shown
    assert "worse.json' cannot be read" in caplog.text
    assert assay("history", "remove", "worse")[0] == 0
