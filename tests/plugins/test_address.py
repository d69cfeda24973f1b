"""Names with settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import UsageError
from assay.environment.cache import cache_folder
from assay.environment.process_state import from_start
from assay.plugins.address import Address, thawed
from assay.plugins.families import BUILT_IN

literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
names = st.from_regex(r"[A-Za-z0-9_./-]{1,20}", fullmatch=True)
settings = st.dictionaries(st.from_regex(r"s[a-z_]{0,8}", fullmatch=True), literals, max_size=3)


@given(source=st.sampled_from(["timm", "hf", "folder"]), name=names, settings=settings)
def test_an_address_written_and_parsed_is_the_same(source, name, settings):
    address = Address(source, name, tuple(sorted(settings.items())))

    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "source", "name"),
    [
        ("timm:resnet50.a1_in1k", "timm", "resnet50.a1_in1k"),
        ("hf:google-bert/bert-base-uncased@main", "hf", "google-bert/bert-base-uncased@main"),
        ("torch:my.nets:build(size=32)", "torch", "my.nets:build"),
        ("./photos", "", "./photos"),
        ("photos (1)", "", "photos (1)"),
        ("folder:photos (old)(val=0.1)", "folder", "photos (old)"),
        ("C:\\photos", "", "C:\\photos"),
        ("写真", "", "写真"),
    ],
)
def test_source_and_name_are_told_apart(text, source, name):
    address = Address.parse(text)

    assert (address.source, address.name) == (source, name)


def test_settings_come_in_any_order_and_are_the_same():
    assert Address.parse("knn(k=5, a=1)") == Address.parse("knn( a=1,k=5 )")


def test_a_setting_may_be_a_dict():
    address = Address.parse("torch:nets:build(arguments={'width': 64, 'more': {'deep': [1, 2]}})")

    (value,) = dict(address.settings).values()
    assert thawed(value) == {"width": 64, "more": {"deep": (1, 2)}}
    assert str(address) == "torch:nets:build(arguments={'width': 64, 'more': {'deep': (1, 2)}})"
    assert Address.parse(str(address)) == address
    assert hash(address)


def test_a_dict_is_no_list_of_numbers():
    with pytest.raises(UsageError, match=r"it must be a list of numbers or a number"):
        BUILT_IN.models.create_from_source(Address.parse("torch:nets:build(mean={'r': 0.5})"))


def test_an_open_parenthesis_is_reported():
    with pytest.raises(UsageError, match="The parenthesis of 'knn\\(k=5' is not closed"):
        Address.parse("knn(k=5")


@pytest.mark.parametrize("text", ["knn(k=open('x'))", "knn(k=[i for i in ()])"])
def test_settings_are_literals_and_never_run(text):
    with pytest.raises(UsageError, match=r"Write Python literals, as in name\(k=5"):
        Address.parse(text)


def test_an_empty_name_says_what_to_write():
    with pytest.raises(UsageError, match="Write source:name, as in 'timm:resnet50'"):
        Address.parse("timm:")


def test_a_path_that_is_no_utf_8_is_shown_as_text_and_read_back() -> None:
    address = Address.parse("folder:/data/caf\udce9(metric='f1')")

    assert str(address) == r"folder:/data/caf\udce9(metric='f1')"
    assert Address.parse(str(address)) == address


def test_parentheses_of_a_path_are_a_part_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run(lr=0.1)").mkdir()

    assert Address.parse("table:run(lr=0.1)/a.csv") == Address("table", "run(lr=0.1)/a.csv")
    assert Address.parse("folder:run(lr=0.1)") == Address("folder", "run(lr=0.1)")
    assert Address.parse("folder:run(lr=0.1)(val=0.3)") == Address("folder", "run(lr=0.1)", (("val", 0.3),))
    assert Address.parse("run(lr=0.1)") == Address("", "run(lr=0.1)")


@pytest.mark.parametrize("inside", ["mode='\ud800'", "k=5, a='\ud800'"])
def test_half_a_pair_of_utf_16_in_a_setting_is_refused_like_any_other(inside):
    with pytest.raises(UsageError, match="Cannot read the settings of"):
        Address.parse(f"knn({inside})")


@pytest.mark.parametrize("name", ["~\0a/photos(1)", "~\ud800(1)", "~nobody-of-this-name/photos(1)"])
def test_a_home_that_no_user_has_is_a_part_of_the_name(name, monkeypatch):
    assert Address.parse(f"folder:{name}").name == name
    assert from_start(name).name == name.rpartition("/")[2]
    monkeypatch.setenv("ASSAY_CACHE", "~nobody-of-this-name")
    assert cache_folder().name == "~nobody-of-this-name"
