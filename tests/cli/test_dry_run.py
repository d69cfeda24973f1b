"""What a study would do, without doing it."""

from __future__ import annotations

QUICK = ("--method", "knn", "--method", "logme")


def test_a_dry_run_prints_tasks_models_and_jobs_and_runs_nothing(assay, photos, opened, tmp_path):
    code, out, _ = assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", *QUICK, "--dry-run")

    assert code == 0
    assert "54 train, 18 val, 18 test" in " ".join(out.split())
    assert "random split (seed 0)" in out
    assert "zoo:colours: 2 jobs left" in out
    assert "4 of 4 jobs left (a job: one method on a model and a task). Nothing was run" in " ".join(
        out.split()
    )
    assert opened == []
    assert not (tmp_path / "assay-store").exists()


def test_a_dry_run_counts_only_the_jobs_that_are_left(assay, photos):
    assay("rank", str(photos), "-m", "zoo:colours", *QUICK)

    _, out, _ = assay("rank", str(photos), "-m", "zoo:colours", "-m", "zoo:noisy", *QUICK, "--dry-run")

    assert "zoo:colours: finished" in out
    assert "2 of 4 jobs left" in " ".join(out.split())


def test_a_dry_run_of_a_study_file_says_which_columns_of_a_table_are_used(assay, tmp_path):
    rows = [f"text number {row},{'good' if row % 2 else 'bad'},{row % 3 == 0},{row}" for row in range(40)]
    (tmp_path / "reviews.csv").write_text("\n".join(["review,label,is_test,number", *rows]))
    (tmp_path / "vectors.txt").write_text("text 0.1 0.2\nnumber 0.3 0.1\n")
    (tmp_path / "study.toml").write_text(
        'models = ["vectors:vectors.txt"]\ntasks = ["reviews.csv"]\nmethods = ["knn"]\n'
    )

    code, out, err = assay("run", "study.toml", "--dry-run")

    text = " ".join(out.split())
    assert (code, err) == (0, "")
    assert "columns: text 'review', label 'label'" in text
    assert "not used: 'number'" in text


def test_the_control_has_the_name_that_screens_show_and_the_address_to_type(assay, photos):
    control = "timm:test_resnet(pretrained=False)"

    _, out, _ = assay("rank", str(photos), "-m", "zoo:colours", "-m", control, *QUICK, "--dry-run")

    assert f"random weights (control) [{control}]: 2 jobs left" in out
    assert "zoo:colours: 2 jobs left" in out
