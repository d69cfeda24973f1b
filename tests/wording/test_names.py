from assay.wording.names import shorten, width_of


def test_names_that_differ_in_the_middle_stay_apart():
    names = [f"timm:mobilenetv2_{number}_with_a_common_ending" for number in (100, 140)]

    assert len(set(shorten(names, 24).values())) == 2


def test_names_that_cannot_stay_apart_are_numbered():
    names = ["x" * 30 + letter + "x" * 30 for letter in "ab"]
    short = shorten(names, 12)

    assert [one[:2] for one in short.values()] == ["1 ", "2 "]


def test_wide_letters_are_counted_twice():
    short = shorten(["模型" * 20], 21)["模型" * 20]

    assert width_of(short) <= 21
    assert width_of("e\u0301") == 1


def test_line_ends_in_a_name_do_not_break_a_table():
    assert shorten(["a\nb"], 10) == {"a\nb": "a b"}
