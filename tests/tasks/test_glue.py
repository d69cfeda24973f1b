from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tasks.glue_files import DEV, FORMATS, NLI, TEST, TRAIN, mnli_row, write_glue, write_glue_test

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import TaskKind
from assay.tasks.glue.hidden import HIDDEN, read_hidden
from assay.testing.tasks import load_task

METRICS = {
    "cola": "matthews", "sst2": "accuracy", "mrpc": "accuracy_f1", "stsb": "pearson_spearman",
    "qqp": "accuracy_f1", "qnli": "accuracy", "rte": "accuracy", "wnli": "accuracy",
    "mnli_matched": "accuracy", "mnli_mismatched": "accuracy", "ax": "matthews",
}  # fmt: skip


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    write_glue(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", sorted(METRICS))
def test_each_task_is_judged_by_its_official_metric_on_dev(glue: Path, name: str) -> None:
    task = load_task(f"glue:{name}(folder='{glue}')")

    official_val = DEV if name == "ax" else 0
    assert task.metric == METRICS[name]
    assert [len(task.train) + len(task.val), len(task.test)] == [TRAIN + official_val, DEV]
    assert task.kind is (TaskKind.REGRESSION if name == "stsb" else TaskKind.CLASSIFICATION)
    assert isinstance(task.test.examples.read(0), str if name in {"cola", "sst2"} else tuple)


def test_texts_are_read_as_they_stand(glue: Path) -> None:
    cola, sst, mrpc = (load_task(f"glue:{name}(folder='{glue}')") for name in ("cola", "sst2", "mrpc"))

    assert all(str(cola.test.examples.read(row)).startswith("A sentence, number 1") for row in range(DEV))
    assert str(sst.test.examples.read(0)).startswith('a "fine film of 1')
    assert mrpc.test.examples.read(0)[0].startswith('He said: "It is 1')


def test_labels_belong_to_their_texts(glue: Path) -> None:
    task = load_task(f"glue:mnli_mismatched(folder='{glue}')")

    for row in range(DEV):
        number = int(task.test.examples.read(row)[0].removeprefix("The fact ").removesuffix("."))
        assert number >= 200
        assert task.classes[task.test.labels.values[row]] == NLI[number % 3]


def test_hidden_test_labels_are_noted(glue: Path) -> None:
    notes = load_task(f"glue:rte(folder='{glue}')").notes

    assert notes == (
        "GLUE hides the labels of test: val is judged here, which the leaderboard does not show.",
        "It has only 40 of 2,490 labels of RTE/train.tsv and 12 of 277 labels of RTE/dev.tsv: "
        "results are not those of GLUE.",
        "There is no test split: val serves as test, and val is 10 % of train, cut by class and seed.",
    )


def test_both_tasks_of_mnli_learn_from_the_same_train(glue: Path) -> None:
    matched, mismatched = (
        load_task(f"glue:{name}(folder='{glue}')", seed=3) for name in ("mnli_matched", "mnli_mismatched")
    )

    assert [matched.train.examples.read(row) for row in range(len(matched.train))] == [
        mismatched.train.examples.read(row) for row in range(len(mismatched.train))
    ]


def test_a_broken_row_is_left_out_and_noted(glue: Path) -> None:
    path = glue / "QQP" / "train.tsv"
    path.write_text(path.read_text() + "71\t1\t2\tWhat is cut off?\n")

    task = load_task(f"glue:qqp(folder='{glue}')")

    assert len(task.train) + len(task.val) == TRAIN
    assert any("empty cell in 'is_duplicate' (first: train.tsv row 41)" in note for note in task.notes)


def test_train_alone_may_be_limited(glue: Path) -> None:
    task = load_task(f"glue:mnli_matched(folder='{glue}', train_limit=20)")

    assert [len(task.train) + len(task.val), len(task.test)] == [20, DEV]


def test_missing_files_are_named(glue: Path) -> None:
    (glue / "MNLI" / "train.tsv").unlink()
    (glue / "diagnostic" / "diagnostic-full.tsv").unlink()

    with pytest.raises(
        UnreadableTask, match=r"has no MNLI/train\.tsv: glue:mnli_matched needs .*dev_matched"
    ):
        load_task(f"glue:mnli_matched(folder='{glue}')")
    with pytest.raises(UnreadableTask, match=r"no MNLI/train\.tsv and no diagnostic/diagnostic-full\.tsv"):
        load_task(f"glue:ax(folder='{glue}')")


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("glue_data/SST-2", "It is in '{data}/glue_data': write folder='{data}/glue_data'."),
        ("sst2", "Rename '{data}/sst2' to 'SST-2'."),
        ("SST-2.zip", "Unpack '{data}/SST-2.zip' there."),
        ("other", "Unpack there what gluebenchmark.com/tasks distributes."),
    ],
)
def test_the_likely_folder_of_missing_files_is_named(tmp_path: Path, to: str, message: str) -> None:
    write_glue(tmp_path)
    data = tmp_path / "data"
    (data / to).parent.mkdir(parents=True)
    (tmp_path / "SST-2").rename(data / to)
    if to.endswith(".zip"):
        shutil.rmtree(data / to)
        (data / to).write_bytes(b"PK")

    with pytest.raises(UnreadableTask) as caught:
        load_task(f"glue:sst2(folder='{data}')")

    assert str(caught.value).startswith(
        f"'{data}' has no SST-2/train.tsv and no SST-2/dev.tsv: glue:sst2 needs"
    )
    assert str(caught.value).endswith(message.format(data=data))


def test_the_folder_of_one_task_is_not_that_of_glue(glue: Path) -> None:
    with pytest.raises(UnreadableTask, match=f"write folder='{glue}'"):
        load_task(f"glue:rte(folder='{glue / 'RTE'}')")
    with pytest.raises(UnreadableTask, match=r"There is no folder 'nowhere'\. Name that"):
        load_task("glue:rte(folder='nowhere')")


@pytest.mark.parametrize("content", ["<html>\n<body>Not found</body>\n", ""], ids=["page", "empty"])
def test_a_file_without_a_label_is_no_train_set(glue: Path, content: str) -> None:
    (glue / "CoLA" / "train.tsv").write_text(content)

    with pytest.raises(UnreadableTask, match=r"CoLA/train\.tsv has no row"):
        load_task(f"glue:cola(folder='{glue}')")


def test_a_label_that_the_task_does_not_have_is_named(glue: Path) -> None:
    path = glue / "RTE" / "dev.tsv"
    path.write_text(path.read_text().replace("not_entailment", "neutral", 1))

    with pytest.raises(UnreadableTask, match=r"dev\.tsv row 2: the label is 'neutral', which is none of"):
        load_task(f"glue:rte(folder='{glue}')")


def test_a_file_of_another_form_is_named(glue: Path) -> None:
    (glue / "RTE" / "dev.tsv").write_text("text\tlabel\n")

    with pytest.raises(UnreadableTask, match=r"dev\.tsv has no column 'sentence1' in its first line"):
        load_task(f"glue:rte(folder='{glue}')")


def test_a_name_that_is_not_in_glue_is_an_error() -> None:
    with pytest.raises(UnknownName, match="Did you mean: mnli_matched, mnli_mismatched"):
        load_task("glue:mnli")


def test_the_split_depends_on_the_seed(glue: Path) -> None:
    one, other = (load_task(f"glue:rte(folder='{glue}')", seed) for seed in (0, 1))

    assert one.fingerprint != other.fingerprint
    assert np.array_equal(one.test.labels.values, other.test.labels.values)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, beside which nyu-mll/glue lies as the hub holds it; and a cache of its own."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "nyu-mll" / "glue"


def write_hub(folder: Path, config: str, splits: dict[str, dict[str, list[object]]]) -> None:
    listed = [f"  - split: {name}\n    path: {config}/{name}-*" for name in splits]
    for name, columns in splits.items():
        (folder / config).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / config / f"{name}-00000-of-00001.parquet")
    header = f"---\nconfigs:\n- config_name: {config}\n  data_files:\n"
    (folder / "README.md").write_text(header + "\n".join(listed) + "\n---\n")


def test_the_hub_holds_the_same_task(glue: Path, hub: Path) -> None:
    def rows(start: int, count: int, hidden: bool = False) -> dict[str, list[object]]:
        cells = [mnli_row(start + number, 1) for number in range(count)]
        return {
            "premise": [cell[8] for cell in cells],
            "hypothesis": [cell[9] for cell in cells],
            "label": [-1 if hidden else NLI.index(str(cell[10])) for cell in cells],
            "idx": list(range(count)),
        }

    splits = {"train": rows(0, TRAIN), "validation_matched": rows(100, DEV), "test_matched": rows(9, 3, True)}
    write_hub(hub, "mnli", splits)

    assert (
        load_task("glue:mnli_matched").fingerprint
        == load_task(f"glue:mnli_matched(folder='{glue}')").fingerprint
    )
    with pytest.raises(UnreadableTask, match="no split 'validation_mismatched' for glue:mnli_mismatched"):
        load_task("glue:mnli_mismatched")


@pytest.mark.parametrize("file", ["MNLI-mm.tsv", "AX.tsv"])
def test_the_hub_holds_the_same_hidden_test(glue: Path, hub: Path, file: str) -> None:
    write_glue_test(glue)
    hidden = next(one for one in HIDDEN if one.file == file)
    asked = read_hidden(hidden, str(glue), None)
    pairs = [text for text in asked.texts if isinstance(text, tuple)]
    columns: dict[str, list[object]] = {
        "premise": [pair[0] for pair in pairs],
        "hypothesis": [pair[1] for pair in pairs],
        "label": [-1] * TEST,
        "idx": list(range(TEST)),
    }
    write_hub(hub, hidden.config, {hidden.split: columns})

    assert read_hidden(hidden, None, None) == asked
    assert asked.numbers == [str(number) for number in range(TEST)]


def test_numbers_on_the_hub_are_those_of_the_files(glue: Path, hub: Path) -> None:
    def rows(start: int, count: int) -> dict[str, object]:
        cells = [FORMATS["stsb"][2](start + number) for number in range(count)]
        scores = pa.array([float(str(cell[9])) for cell in cells], pa.float32())
        return {
            "sentence1": [cell[7] for cell in cells],
            "sentence2": [cell[8] for cell in cells],
            "label": scores,
        }

    write_hub(hub, "stsb", {"train": rows(0, TRAIN), "validation": rows(100, DEV)})

    assert load_task("glue:stsb").fingerprint == load_task(f"glue:stsb(folder='{glue}')").fingerprint


def test_what_is_neither_on_the_hub_nor_cached_says_what_to_do(hub: Path) -> None:
    with pytest.raises(
        UnreadableTask,
        match=r"'nyu-mll/glue', rte is neither .* no network.*'assay fetch glue:rte'.* folder that",
    ):
        load_task("glue:rte")
    with pytest.raises(UsageError, match=r"no labels of the diagnostic set.* glue:ax\(folder="):
        load_task("glue:ax")


def test_a_word_among_the_numbers_of_stsb_names_its_row(glue: Path) -> None:
    path = glue / "STS-B" / "train.tsv"
    lines = path.read_text().splitlines()
    lines[3] = lines[3].rpartition("\t")[0] + "\thigh"
    path.write_text("\n".join(lines))

    with pytest.raises(
        UnreadableTask, match="row 3: the label 'high' is not a number. Unpack the files as they are"
    ):
        load_task(f"glue:stsb(folder='{glue}')")
