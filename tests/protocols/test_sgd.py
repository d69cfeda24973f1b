"""Plain SGD against the loop that every tutorial shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import datasets, models, transforms

import assay
from assay.core.errors import UsageError
from assay.protocols.sgd import SGD
from assay.run.plan import resolve_tasks

SIDE, EPOCHS, BATCH = 40, 2, 8


@pytest.fixture
def photos(tmp_path):
    """A folder with train and test, two classes each, as PNG files."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 5)):
        for label, light in (("dark", 0), ("light", 90)):
            folder = tmp_path / "photos" / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 160, (SIDE, SIDE + number, 3)) + light
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "photos"


def stacked(images: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(images).contiguous(memory_format=torch.channels_last)


def plain_loop(photos, order: list[str], build) -> tuple[np.ndarray, float]:
    """The transfer-learning loop of PyTorch's tutorials, with the examples of train in a given order."""
    transform = transforms.Compose([
        transforms.Resize(73), transforms.CenterCrop(64), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])  # fmt: skip
    train = datasets.ImageFolder(photos / "train", transform)
    test = datasets.ImageFolder(photos / "test", transform)
    positions = {path: row for row, (path, _) in enumerate(train.samples)}
    rows = [positions[path] for path in order]
    model = build().to(memory_format=torch.channels_last)  # sums in another order drift apart while training
    torch.manual_seed(0)
    model.fc = nn.Linear(model.fc.in_features, 2)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    shuffle = torch.Generator().manual_seed(0)
    model.train()
    for _ in range(EPOCHS):
        permuted = torch.randperm(len(rows), generator=shuffle).tolist()
        for start in range(0, len(permuted), BATCH):
            batch = [train[rows[number]] for number in permuted[start : start + BATCH]]
            images, labels = stacked([image for image, _ in batch]), torch.tensor([y for _, y in batch])
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        logits = model(stacked([image for image, _ in test]))
    truth = np.array([label for _, label in test.samples])
    return logits.softmax(1).numpy(), float((logits.argmax(1).numpy() == truth).mean())


def test_one_command_gives_what_the_loop_of_the_tutorials_gives(photos, tmp_path):
    study = assay.Study(
        models=["torchvision:resnet18.IMAGENET1K_V1(pretrained=False, image_size=64)"],
        tasks=[str(photos)],
        methods=[f"sgd(epochs={EPOCHS}, batch_size={BATCH})"],
        store=tmp_path / "store",
        seeds=1,
    )
    task = resolve_tasks([str(photos)], 0)[0]
    order = [
        str(photos / split.examples.name(row))
        for split in (task.train, task.val)
        for row in range(len(split))
    ]

    def build() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return models.resnet18()

    expected, accuracy = plain_loop(photos, order, build)
    comparison = study.run()

    job = next(iter(study.plan().jobs))
    probs = np.load(tmp_path / "store" / "probs" / f"{job}.npy")
    names = [task.test.examples.name(row) for row in range(len(task.test))]
    theirs = [path for path, _ in datasets.ImageFolder(photos / "test").samples]
    rows = [theirs.index(str(photos / name)) for name in names]
    assert comparison.cells[0].value == accuracy
    np.testing.assert_allclose(probs, expected[rows], atol=2e-4)


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"batch_size": 1}, {"learning_rate": 0.0}])
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(UsageError, match="cannot train"):
        SGD(**settings)
