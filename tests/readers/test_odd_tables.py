"""Tables as spreadsheets, databases and people write them."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.readers.formats.table_file import TableFormat
from assay.readers.rows import stream

ROWS = [("great film", "pos"), ("dull film", "neg"), ("so, so", "neg"), ("a delight", "pos")]


class Table:
    """A file of a test."""

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, list[str]()

    def read(self, content: str | bytes, **form: str | float) -> list[tuple[str | None, ...]]:
        """Return the rows, with the notes in ``notes``."""
        self.path.write_bytes(content if isinstance(content, bytes) else content.encode())
        batches = stream(self.path, TableFormat()._replace(**form), self.notes.append)
        return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


@pytest.fixture
def csv(tmp_path: Path) -> Table:
    return Table(tmp_path / "a.csv")


def written(rows: list[tuple[str, str]], delimiter: str = ",") -> str:
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    return "".join(f"{delimiter.join(cells)}\n" for cells in [["text", "label"], *quoted])


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('text,label\n"good one,pos\nbad,neg\n"fine,pos\nok,neg\n', "lines 2, 4"),
        ('text,label\ngood,pos\nbad,neg\n"fine,pos\nok,neg\n', "line 4"),
        ('text,label\ngood,pos\nbad,neg\n"fine,pos\n"o, k",neg\n', "line 4"),
        ('label,text\npos,good\nneg,bad\npos,"fine\nneg,dull end"\n', "line 4"),
        ('text,label\ngood,pos\nbad,neg\nok,neg\n"fine,pos', "line 5"),
    ],
    ids=["two opened", "never closed", "closed by the next cell", "closed much later", "in the last line"],
)
def test_a_loose_quotation_mark_swallows_no_row(csv: Table, content: str, lines: str) -> None:
    rows = csv.read(content)

    assert len(rows) == 4
    assert csv.notes == [f"A quotation mark in {lines} of a.csv encloses no cell: it is read as a letter."]


@pytest.mark.parametrize(
    "cell", ["Dear all,\nno, never\nyes, please", 'one "two" three\nfour', "a\n\nb", "x" * 50 + "\n" * 30]
)
def test_a_cell_of_several_lines_is_one_cell(csv: Table, cell: str) -> None:
    doubled = cell.replace('"', '""')
    rows = csv.read(f'text,label\ngood,pos\nbad,neg\n"{doubled}",pos\n')

    assert rows[2] == (cell, "pos")


def test_lines_of_a_cell_that_might_be_rows_are_noted(csv: Table) -> None:
    rows = csv.read('label,text\n1.5,good\n2.5,"bad\n3.5,fair\n4.5,fine"\n0.5,end\n')

    assert len(rows) == 3
    assert csv.notes == [
        "a.csv, lines 3 to 5 are read as one quoted cell. "
        "If each line is a row, delete the opening quotation mark."
    ]


def test_a_backslash_may_stand_before_a_quotation_mark(csv: Table) -> None:
    rows = csv.read('text,label\n"a \\"fine\\", long film",pos\n"bad \\\\n",neg\n')

    assert rows == [('a "fine", long film', "pos"), ("bad \\\\n", "neg")]


def test_a_space_may_stand_before_a_quotation_mark(csv: Table) -> None:
    assert csv.read('label, text\npos, "good, really"\nneg, bad\n')[0] == ("pos", "good, really")


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n"])
def test_the_first_line_of_excel_names_the_delimiter(csv: Table, first: str) -> None:
    assert csv.read(first + written(ROWS, ";")) == ROWS
    assert csv.notes == []


@pytest.mark.parametrize("before", ["\n\n", "# exported 2024\n", "# a\n// b, c, d\n\n"])
def test_lines_before_the_header_are_left_out(csv: Table, before: str) -> None:
    assert csv.read(before + written(ROWS)) == ROWS


def test_a_header_may_begin_with_a_sign_of_comments(csv: Table) -> None:
    assert csv.read("#id,text\n1,a\n2,b\n") == [("1", "a"), ("2", "b")]


def test_delimiters_at_the_end_of_lines_are_no_cells(csv: Table) -> None:
    assert csv.read("text,label\na,1,\nb,2,,\n") == [("a", "1"), ("b", "2")]
    assert csv.read("text,label,\na,1\nb,2,\n") == [("a", "1", ""), ("b", "2", "")]


def test_a_row_with_a_wrong_number_of_cells_is_left_out_and_named(csv: Table) -> None:
    assert csv.read("text,label\na,1\nb,2,3\nc,3\n") == [("a", "1"), ("c", "3")]
    assert csv.notes == [
        "1 of 3 rows of a.csv have a wrong number of cells and are left out: row 2 (line 3) has 3 cells; "
        "the header has 2."
    ]


def test_none_may_be_left_out_if_the_user_says_so(csv: Table) -> None:
    with pytest.raises(UnreadableTask, match=r"row 2 \(line 3\) has 3 cells"):
        csv.read("text,label\na,1\nb,2,3\nc,3\n", ragged=0.0)


def test_columns_of_one_name_are_told_apart(csv: Table) -> None:
    csv.read("text,label,text\na,1,b\n")

    batch = next(stream(csv.path))

    assert batch.schema.names == ["text", "label", "text.2"]
    assert csv.notes == ["a.csv has several columns called 'text': one of them is 'text.2' here."]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Le café était très bon à côté de l’hôtel", "cp1252"),
        ("schöne Größe, für Übermut", "latin-1"),
        ("größer", "latin-1"),
        ("“film” costs 5 € – don’t", "cp1252"),
        ("猫が好きです、とても良い番組", "cp932"),
        ("Очень хороший фильм, советую всем", "cp1251"),
        ("这个电影非常好看", "gb18030"),
    ],
)
def test_another_encoding_is_found_out_and_noted(csv: Table, text: str, encoding: str) -> None:
    rows = csv.read(f"text;label\n{text};a\nplain;b\n".encode(encoding))

    assert rows == [(text, "a"), ("plain", "b")]
    assert csv.notes[0].startswith("a.csv is not UTF-8: it is read as ")
    assert csv.notes[0].endswith("Write encoding='...' if letters are wrong.")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_unicode_is_known_by_its_bytes(csv: Table, encoding: str) -> None:
    assert csv.read("text,label\nschön,1\nplain words,2\n".encode(encoding))[0] == ("schön", "1")


def test_the_encoding_of_the_user_is_taken(csv: Table) -> None:
    assert csv.read("text,label\nпривет,1\n".encode("koi8-r"), encoding="koi8-r") == [("привет", "1")]
    with pytest.raises(UsageError, match="There is no encoding 'cp9999'"):
        csv.read("text,label\na,1\n", encoding="cp9999")


def test_a_bad_byte_in_utf_8_is_replaced_and_named(csv: Table) -> None:
    good = "".join(f"schön{number},1\n" for number in range(20)).encode()

    rows = csv.read(b"text,label\n" + good + b"caf\xe9,2\n")

    assert rows[-1] == ("caf\ufffd", "2")
    assert csv.notes == [
        "1 line of a.csv (first: line 22) hold bytes that are not UTF-8, read as '\ufffd'. "
        "Write encoding='...' if the file has another encoding."
    ]


@pytest.mark.parametrize(
    "content",
    [
        '[{"text": "a", "label": 1}, {"text": "b", "label": null}]',
        '[\n  {"text": "a", "label": 1},\n  {"text": "b"}\n]\n',
        '{\n  "text": "a", "label": 1\n}\n{\n  "text": "b"\n}\n',
        '{"text": "a", "label": 1},\n{"text": "b"},\n',
        '{"text": "a", "label": 1}{"text": "b"}\n',
        '{"version": 2, "data": [{"text": "a", "label": 1}, {"text": "b"}]}',
        '{\n"text": ["a", "b"],\n"label": [1, null]\n}',
        '{"text": {"0": "a", "1": "b"}, "label": {"0": 1, "1": null}}\n\n',
        '{"0": {"text": "a", "label": 1}, "1": {"text": "b", "label": null}}',
        '{"columns": ["text", "label"], "index": [7, 9], "data": [["a", 1], ["b", null]]}',
        '{"schema": {"fields": []}, "data": [{"text": "a", "label": 1}, {"text": "b"}]}',
    ],
    ids=[
        "array",
        "indented",
        "lines",
        "commas",
        "together",
        "object",
        "columns",
        "pandas",
        "rows",
        "split",
        "schema",
    ],
)
def test_a_json_document_is_a_table(tmp_path: Path, content: str) -> None:
    assert Table(tmp_path / "a.json").read(content) == [("a", "1"), ("b", None)]


def test_objects_by_name_are_rows_where_there_are_more_than_columns(tmp_path: Path) -> None:
    content = '{"u": {"text": "a", "label": 1}, "v": {"text": "b", "label": 2}, "w": {"text": "c"}}'

    assert Table(tmp_path / "a.json").read(content) == [("a", "1"), ("b", "2"), ("c", None)]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("__label__pos a  film\n__label__neg dull, __x\n\n", [("a  film", "pos"), ("dull, __x", "neg")]),
        (
            "__label__a __label__b x y\n__label__b z\nnone\n",
            [("x y", '["a", "b"]'), ("z", '["b"]'), ("none", None)],
        ),
        ("__label__a x\ny z __label__b\n", [("x", "a"), ("y z", "b")]),
    ],
    ids=["one each", "several", "at the end"],
)
def test_labels_of_fasttext_are_a_column(
    tmp_path: Path, content: str, rows: list[tuple[str, str | None]]
) -> None:
    table = Table(tmp_path / "a.txt")

    assert table.read(content) == rows
    assert table.notes == ["The labels of a.txt are those of fastText: __label__ before each is left out."]


def test_objects_in_objects_have_a_column_for_each_value(tmp_path: Path) -> None:
    table = Table(tmp_path / "a.jsonl")
    table.read('{"text": "a", "meta": {"lang": "en", "by": {"id": 7}}}\n')

    assert next(stream(table.path)).to_pylist() == [{"text": "a", "meta.lang": "en", "meta.by.id": "7"}]


def test_half_a_letter_in_json_is_replaced(tmp_path: Path) -> None:
    assert Table(tmp_path / "a.jsonl").read('{"text": "a\\ud83d"}\n') == [("a\ufffd",)]


def test_bytes_and_structs_of_parquet_are_read_and_others_named(tmp_path: Path) -> None:
    table = Table(tmp_path / "a.parquet")
    columns = {
        "text": pa.array([b"caf\xc3\xa9", b"plain"]),
        "meta": [{"label": "x", "id": 1}, {"label": "y", "id": 2}],
        "pickled": pa.array([b"\x80\x04\0", b"\x80\x04\0"]),
        "embedding": [[0.5], [1.5]],
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)

    assert table.read(buffer.getvalue()) == [("café", "x", "1"), ("plain", "y", "2")]
    assert table.notes == [
        "Columns of a.parquet that are neither texts nor numbers are left out: 'pickled' (binary), "
        "'embedding' (list<element: double>)."
    ]


def test_the_line_between_header_and_rows_of_a_markdown_table_is_no_row(tmp_path: Path) -> None:
    lines = ["| text | label |", "|:-----|------:|", *(f"| {text} | {label} |" for text, label in ROWS[:2])]

    rows = Table(tmp_path / "a.csv").read("\n".join(lines))

    assert [tuple(cell.strip() for cell in row if cell) for row in rows] == ROWS[:2]


def test_compressed_tables_are_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._b.csv", "x")
        archive.writestr("data/b.csv", written(ROWS))

    assert Table(tmp_path / "a.csv.gz").read(gzip.compress(written(ROWS).encode())) == ROWS
    assert Table(tmp_path / "a.jsonl.gz").read(gzip.compress(b'{"text": "a"}\n')) == [("a",)]
    assert Table(tmp_path / "a.zip").read(packed.getvalue()) == ROWS


def test_an_archive_of_two_tables_and_a_damaged_one_say_what_to_do(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("b.csv", "x")
        archive.writestr("c.csv", "x")

    with pytest.raises(UnreadableTask, match="a.zip holds 2 tables: b.csv, c.csv. Unpack it"):
        Table(tmp_path / "a.zip").read(packed.getvalue())
    with pytest.raises(UnreadableTask, match="a.csv.gz is damaged"):
        Table(tmp_path / "a.csv.gz").read(gzip.compress(b"text,label\na,1\n" * 99)[:-20])


def workbook(*sheets: list[list[str | float]], merged: str = "", hidden: str = "") -> bytes:
    """Return an Excel file with these sheets, A, B, ..."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    held = [(number, "AB"[number], sheet) for number, sheet in enumerate(sheets)]
    state = dict.fromkeys(hidden, 'state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n + 1}" {state.get(name, "")} r:id="r{n}"/>' for n, name, _ in held
    )
    areas = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    linked = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n, _, _ in held
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{kinds}"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="w" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{relations}">{linked}</Relationships>'
        )
        for n, _, sheet in held:
            rows = "".join(f"<row>{''.join(map(cell_xml, row))}</row>" for row in sheet)
            archive.writestr(
                f"xl/worksheets/s{n}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{areas}</worksheet>',
            )
    return packed.getvalue()


def cell_xml(cell: str | float) -> str:
    if isinstance(cell, str) and cell.startswith("="):
        return f"<c><f>{cell[1:]}</f><v></v></c>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
    return f"<c><v>{cell}</v></c>"


def test_the_only_sheet_of_a_workbook_is_a_table(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    content = workbook([["text", "score"], ["good", 1], ["bad", 0.5]], [])

    assert Table(tmp_path / "a.xlsx").read(content) == [("good", "1"), ("bad", "0.5")]


def test_several_sheets_are_named_and_one_is_chosen(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    content = workbook([["text"], ["a"]], [["text"], ["b"]])

    assert Table(tmp_path / "a.xlsx").read(content, sheet="B") == [("b",)]
    with pytest.raises(UnreadableTask, match=r"a.xlsx has 2 sheets: 'A', 'B'. Write for example sheet='A'."):
        Table(tmp_path / "a.xlsx").read(content)
    with pytest.raises(UsageError, match="a.xlsx has no sheet 'C'. It has 'A', 'B'."):
        Table(tmp_path / "a.xlsx").read(content, sheet="C")


def test_hidden_sheets_are_read_only_by_name(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    content = workbook([["text"], ["a"]], [["text"], ["b"]], hidden="A")

    assert Table(tmp_path / "a.xlsx").read(content) == [("b",)]
    assert Table(tmp_path / "a.xlsx").read(content, sheet="A") == [("a",)]


def test_each_row_of_merged_cells_has_their_value(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    content = workbook([["text", "label"], ["a", "x"], ["b", ""], ["c", "y"]], merged="B2:B3")

    assert Table(tmp_path / "a.xlsx").read(content) == [("a", "x"), ("b", "x"), ("c", "y")]


def test_a_text_file_by_the_name_of_a_workbook_is_named_as_such(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")

    with pytest.raises(UnreadableTask, match="seems to be a text file: give it the suffix"):
        Table(tmp_path / "a.xlsx").read("text,label\na,x\n")


def test_formulas_that_were_never_computed_are_named(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    table = Table(tmp_path / "a.xlsx")

    assert table.read(workbook([["text", "n"], ["a", 1], ["b", "=B2*2"]])) == [("a", "1"), ("b", None)]
    assert table.notes == [
        "a.xlsx has formulas without a stored value in 1 cell: they are read as empty. "
        "Open it in Excel or LibreOffice and save it, or save it as CSV there."
    ]
    with pytest.raises(
        UnreadableTask, match="without a stored value in 2 cells, and nothing else in 'n'. Open"
    ):
        table.read(workbook([["text", "n"], ["a", "=1+1"], ["b", "=B2*2"]]))


def test_a_blank_row_of_a_sheet_stays_where_rows_must_not_shift(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="needs the package python-calamine")
    content = workbook([["text"], ["a"], [], ["b"]])

    assert Table(tmp_path / "a.xlsx").read(content) == [("a",), ("b",)]
    assert Table(tmp_path / "a.xlsx").read(content, keeps_rows=True) == [("a",), (None,), ("b",)]


def test_blank_lines_are_no_rows_of_one_column_with_loose_quotation_marks(tmp_path: Path) -> None:
    assert Table(tmp_path / "a.tsv").read('text\n"a\n\nb\n\n') == [('"a',), ("b",)]


def test_a_header_that_comes_again_in_joined_files_is_no_row(csv: Table) -> None:
    assert csv.read(written(ROWS) + written(ROWS)) == ROWS * 2
    assert csv.notes == ["1 row is the header of a.csv again (first: line 6): left out."]


@pytest.mark.parametrize("title", ["Survey of 2024\n", "Survey of 2024,\n,\n"])
def test_a_title_above_the_header_is_left_out(csv: Table, title: str) -> None:
    assert csv.read(title + written(ROWS)) == ROWS
    assert "before the names of its columns: left out" in csv.notes[0]


@pytest.mark.parametrize("groups", ["Data,Data", "Input,", ",Target"])
def test_names_of_groups_above_those_of_columns_are_left_out(csv: Table, groups: str) -> None:
    assert csv.read(f"{groups}\ntext,label\nfine,a\npoor,b\nodd,a\n") == [
        ("fine", "a"),
        ("poor", "b"),
        ("odd", "a"),
    ]
    assert csv.notes == ["a.csv begins with 1 line before the names of its columns: left out."]


def test_a_row_below_a_header_with_an_empty_name_is_no_header(csv: Table) -> None:
    assert csv.read(",label\ntext,a\nfine,b\nodd,a\n") == [("text", "a"), ("fine", "b"), ("odd", "a")]


@pytest.mark.parametrize("last", ["Total,3", "sum:,", "Average,1.5"])
def test_a_sum_below_the_rows_is_none_of_them(csv: Table, last: str) -> None:
    assert len(csv.read(f"text,n\nfine,1\npoor,2\n{last}\n")) == 2
    assert "is a sum of others: left out" in csv.notes[0]


@pytest.mark.parametrize("last", ["Total,good", "Total recall,3"])
def test_a_last_row_of_words_stays(csv: Table, last: str) -> None:
    assert len(csv.read(f"text,n\nfine,1\npoor,2\n{last}\n")) == 3


def test_numbers_of_rows_need_no_name_in_the_header(csv: Table) -> None:
    assert csv.read('"text","label"\n"1","fine","a"\n"2","poor","b"\n') == [
        ("1", "fine", "a"),
        ("2", "poor", "b"),
    ]
    assert csv.notes == ["The rows of a.csv begin with their number, for which its header has no name."]


def test_a_column_without_a_name_makes_its_header_no_title(csv: Table) -> None:
    rows = written(ROWS).partition("\n")[2]

    assert csv.read(f"text,\n{rows}") == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("version https://git-lfs.github.com/spec/v1\nsize 9\n", "is a pointer of Git LFS.*git lfs pull"),
        ("\n<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "is a web page"),
    ],
    ids=["LFS", "web page"],
)
def test_what_a_failed_download_leaves_is_named(csv: Table, content: str, message: str) -> None:
    with pytest.raises(UnreadableTask, match=message):
        csv.read(content)
