from __future__ import annotations

from pathlib import Path

import numpy as np

import assay
from assay.core.task import Modality
from assay.run.plan import resolve_models
from assay.run.random_weights import random_controls

IMAGE = Modality.IMAGE


def test_the_first_model_of_a_modality_is_judged_with_random_weights() -> None:
    models = resolve_models(["timm:test_resnet(image_size=64)", "timm:test_vit"])

    (control,) = random_controls(models, {IMAGE, Modality.TEXT})

    assert str(control) == "timm:test_resnet(image_size=64, pretrained=False, seed=1)"
    assert control.plugin == models[0].plugin.untrained()


def test_random_weights_that_were_named_are_the_control() -> None:
    assert not random_controls(resolve_models(["timm:test_vit", "timm:test_vit(pretrained=False)"]), {IMAGE})


def test_a_source_without_random_weights_has_no_control(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", features=np.eye(3), names=["a.png", "b.png", "c.png"])

    assert not random_controls(resolve_models([f"features:{tmp_path / 'mine.npz'}"]), {IMAGE})


def test_a_study_judges_the_control_by_its_probes_and_not_by_its_scores(tmp_path: Path) -> None:
    study = assay.Study(
        models=["packaged:efficientnet_lite0"],
        tasks=["sklearn:digits(limit=60)"],
        methods=["knn", "logme", "fine_tune(trials=1)"],
        store=tmp_path,
    )

    jobs = [(job.model, job.method) for job in study.plan().jobs.values()]

    control = "packaged:efficientnet_lite0(pretrained=False, seed=1)"
    assert [method for model, method in jobs if model == control] == ["knn"]
    assert len({model for model, _ in jobs}) == 2


def test_a_study_without_the_control_has_only_what_was_named(tmp_path: Path) -> None:
    study = assay.Study(
        models=["packaged:efficientnet_lite0"],
        tasks=["sklearn:digits(limit=60)"],
        methods=["knn"],
        control=False,
        store=tmp_path,
    )

    assert {job.model for job in study.plan().jobs.values()} == {"packaged:efficientnet_lite0"}
