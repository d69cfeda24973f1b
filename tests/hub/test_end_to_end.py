"""The command line against a hub on loopback, with real clients and nothing patched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub.commands import Commands, Ran, commands
from tests.hub.local_hub import LocalHub, contents, serving
from tests.hub.served import csv, models_of, sentence_files, sets_of

from assay.core.task import Modality
from assay.run.zoo import curated

pytest.importorskip("datasets")
pytestmark = pytest.mark.framework

ONLINE = (
    "hub:org/reviews",
    "hub:org/reviews(revision='v1')",
    "hub:org/renamed",
    "hub:org/parquet",
    "hub:org/images",
    "hub:org/configs",
    "hub:org/configs(config='en')",
    "hub:org/script",
    "hub:org/reveiws",
    "hub:org/reviews(revision='v9')",
    "hub:org/private",
    "hub:org/gated",
    "glue:rte",
    "suite:ours.toml",
    "hf:org/bert",
    "hf:org/bert@v1",
    "hf:org/renamed",
    "hf:org/private",
    "hf:org/gated",
    "hf:org/brt",
    "hf:org/bert@v9",
    "timm:test_resnet.r160_in1k",
    "timm:hf_hub:org/resnet",
    "sentence:org/sentence",
    "openclip:hf-hub:org/clip",
    "openclip:hf-hub:org/bert",
)
KNN = ("--method", "knn", "--no-control", "--details")


def models(*addresses: str) -> list[str]:
    return [word for address in addresses for word in ("-m", address)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Iterator[LocalHub]:
    folder = tmp_path_factory.mktemp("hub")
    with serving(folder / "served") as hub:
        sets_of(hub)
        models_of(hub, tiny_bert, folder / "timm")
        yield hub


@pytest.fixture(scope="module")
def user(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The command line of a user whose caches are empty at first."""
    with commands(tmp_path_factory.mktemp("home"), HF_ENDPOINT=hub.endpoint) as user:
        (user.home / "ours.toml").write_text("""tasks = ["hub:org/configs(config='de')"]""")
        yield user


@pytest.fixture(scope="module")
def fetched(hub: LocalHub, user: Commands) -> Ran:
    """What ``assay fetch`` says in a fresh process, with a token, and with a hub that fails now and then."""
    hub.break_off(
        {"path": "datasets/org/reviews/revision", "status": 429, "headers": {"Retry-After": "0"}, "times": 1},
        {"path": "datasets/org/images/revision", "status": 503, "times": 1},
        {"path": "org/bert/.*model.safetensors", "methods": ["GET"], "cut": 9000, "times": 1},
        {"path": "org/reviews/.*train.csv", "methods": ["GET"], "cut": 100, "times": 1},
    )
    return user.assay("fetch", *ONLINE, HF_TOKEN="hf_valid")


@pytest.fixture(scope="module")
def told(fetched: Ran) -> dict[str, str]:
    """What is said of each address."""
    assert "Traceback" not in fetched.stderr, fetched.stderr
    parts = re.split(r"^(?=\S)", fetched.stdout, flags=re.MULTILINE)
    return {address.strip(): said for address, _, said in (part.partition("\n") for part in parts) if said}


@pytest.fixture(scope="module")
def requests(hub: LocalHub, told: dict[str, str]) -> list[dict[str, str]]:
    """The requests that all of this took."""
    return hub.requests()


def test_data_sets_of_every_format_are_downloaded(told: dict[str, str]) -> None:
    assert "48 train and 12 val and 30 test examples" in told["hub:org/reviews"]
    assert "48 train and 12 val and 20 test examples" in told["hub:org/reviews(revision='v1')"]
    assert "30 test examples" in told["hub:org/renamed"]
    assert "40 train and 10 val and 12 test examples" in told["hub:org/parquet"]
    assert "12 train and 4 val and 4 test examples" in told["hub:org/images"]
    assert "32 train and 8 val and 10 test examples" in told["hub:org/configs(config='en')"]
    assert "18 train and 6 val and 6 test examples" in told["hub:org/configs(config='de')"]
    assert "36 train and 4 val and 20 test examples" in told["glue:rte"]
    assert "18 train" in told["hub:org/private"]


def test_models_of_every_client_are_downloaded_at_their_commit(hub: LocalHub, told: dict[str, str]) -> None:
    for repository, address in (
        ("org/bert", "hf:org/bert"),
        ("org/private", "hf:org/private"),
        ("org/sentence", "sentence:org/sentence"),
        ("org/resnet", "timm:hf_hub:org/resnet"),
        ("org/clip", "openclip:hf-hub:org/clip"),
    ):
        assert hub.commit(f"models/{repository}")[:12] in told[address]
    assert hub.commit("models/org/bert", "v1")[:12] in told["hf:org/bert@v1"]
    assert hub.commit("models/org/bert")[:12] in told["hf:org/renamed"]
    assert "timm/test_resnet.r160_in1k" in told["timm:test_resnet.r160_in1k"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hub:org/configs", "has several configurations: en, de. Write one, as in config='en'"),
        ("hub:org/script", "script.py.*code of a data set is not run.*revision='refs/convert/parquet'"),
        ("hub:org/reveiws", "no data set 'org/reveiws' on http://127.0.0.1.*Did you mean: org/reviews"),
        ("hub:org/reviews(revision='v9')", "no revision 'v9'. It has: main, v1"),
        ("hub:org/gated", "gated.*no access yet.*Ask for access at http://.*/datasets/org/gated"),
        ("hf:org/gated", "gated.*no access yet.*Ask for access at http://.*/org/gated, log in.*HF_TOKEN"),
        ("hf:org/brt", "no model 'org/brt' on .*Did you mean: org/bert"),
        ("hf:org/bert@v9", "no revision 'v9'. It has: main, v1"),
        ("openclip:hf-hub:org/bert", "lacks files.*open_clip_config.json"),
    ],
)
def test_what_the_hub_refuses_says_why_and_what_to_write(
    told: dict[str, str], address: str, said: str
) -> None:
    assert re.search(f"missing .*{said}", " ".join(told[address].split())), told[address]


def test_downloads_that_break_off_go_on(fetched: Ran) -> None:
    assert fetched.stderr.count("Trying to resume download") == 2


def test_a_rate_limit_is_waited_for(fetched: Ran) -> None:
    assert "Rate limited. Waiting 1.0s" in fetched.stderr  # Retry-After and a second


def test_no_client_tells_what_is_used(requests: list[dict[str, str]]) -> None:
    assert [one["path"] for one in requests if "agent" in one["path"] or "telemetry" in one["path"]] == []


def test_the_token_is_sent_to_the_hub_alone_and_never_kept(
    fetched: Ran, user: Commands, requests: list[dict[str, str]]
) -> None:
    assert {one["token"] for one in requests if one["path"].startswith("/cdn/")} == {None}
    assert "hf_valid" in {one["token"] for one in requests}
    assert "hf_valid" not in fetched.stdout + fetched.stderr
    assert not [file for file in user.home.rglob("*") if file.is_file() and b"hf_valid" in file.read_bytes()]


@pytest.mark.usefixtures("requests")
def test_a_study_of_what_was_fetched_runs_with_no_connection_at_all(hub: LocalHub, user: Commands) -> None:
    tasks = ("hub:org/reviews", "hub:org/reviews(revision='v1')", "suite:ours.toml", "glue:rte")

    run = user.assay("rank", *tasks, *models("hf:org/bert", "sentence:org/none"), *KNN, "--offline")

    assert hub.requests() == []
    assert "hub:org/reviews: text classification into 2 classes; 48 train, 12 val, 30 test" in run.stderr
    assert (
        "hub:org/reviews(revision='v1'): text classification into 2 classes; 48 train, 12 val, 20 test"
        in run.stderr
    )
    assert "hub:org/configs(config='de')" in run.stderr
    assert "1 model failed" in run.stderr
    assert re.search(
        r"'sentence:org/none' is not in the\s+local\s+cache, and no network is used", run.stdout
    ), run.stdout


@pytest.mark.usefixtures("fetched")
def test_a_gated_model_runs_by_the_same_command_once_the_token_may_read_it(
    hub: LocalHub, user: Commands
) -> None:
    command = ("rank", "hub:org/reviews", *models("hf:org/gated", "hf:org/bert"), *KNN, "--store", "gated")

    without = user.assay(*command)
    waiting = user.assay(*command, HF_TOKEN="hf_valid")
    hub.change("models/org/gated", granted=True)
    granted = user.assay(*command, HF_TOKEN="hf_valid")

    assert [run.code for run in (without, waiting, granted)] == [1, 1, 0]
    assert "Ask for access at http://" in without.stdout
    assert "The same command retries what a\nnetwork, file, package, memory or --time-limit stopped" in (
        without.stderr
    )
    assert "Your token has no access yet" in waiting.stdout
    assert "[1 of 1] gated on " in granted.stderr  # what is finished does not run again
    assert granted.stdout.count("1.000  0.884 to 1.000") == 2


@pytest.mark.usefixtures("fetched")
def test_a_failed_download_of_torch_is_a_row_and_is_tried_again(hub: LocalHub, user: Commands) -> None:
    named = ("squeezenet1_1", "shufflenet_v2_x0_5", "alexnet", "mnasnet0_5")
    command = ("rank", "hub:org/images", *models(*(f"torchvision:{name}" for name in named)), *KNN)
    proxy = {"https_proxy": hub.endpoint, "SSL_CERT_FILE": str(hub.certify())}
    served = hub.root / "web" / "download.pytorch.org" / "models"
    served.mkdir(parents=True)
    (served / "squeezenet1_1-b8a52dc0.pth").write_bytes(b"other weights")
    (served / "shufflenetv2_x0.5-f707e7126e.pth").write_bytes(b"weights" * 1000)
    hub.break_off({"path": "shufflenet", "cut": 100}, {"path": "alexnet", "status": 503})
    kept = user.home / "torch" / "hub" / "checkpoints"

    failed = user.assay(*command, "--store", "torch", **proxy)
    left = list(kept.glob("*"))
    (kept / "mnasnet0.5_top1_67.823-3ffadce67e.pth").write_bytes(b"damaged")
    again = user.assay(*command, "--store", "torch", "--offline")

    assert hub.hosts() == {"download.pytorch.org"}
    said = " ".join(failed.stdout.split())
    for name, why in zip(named, ("invalid hash value", "invalid hash value", "503", "404"), strict=True):
        assert re.search(f"The weights of 'torchvision:{name}' [^']*{why}", said), said
    assert left == []
    said = " ".join(again.stdout.split())
    assert re.search("mnasnet0.5_top1_67.823-3ffadce67e.pth is damaged .* Delete it", said), said
    assert said.count("not in the local cache, and no network is used") >= 3, said


def test_a_plan_fetches_what_its_shards_then_read_with_no_connection(
    hub: LocalHub, user: Commands, tiny_bert: Path
) -> None:
    hub.add("models/org/planned", contents(tiny_bert) | {"note": b"planned"})
    (user.home / "study.toml").write_text(
        'models = ["hf:org/planned"]\ntasks = ["hub:org/reviews"]\nmethods = ["knn"]\ncontrol = false'
    )

    plan = user.assay("plan", "study.toml", "--shards", "4", "--fetch", "--offline", HF_TOKEN="hf_valid")
    hub.requests()
    shard = user.assay("run", "study.toml", "--shard", "1/1", "--offline")
    merged = user.assay("merge", "study.assay")

    assert (plan.code, shard.code, merged.code) == (0, 0, 0), plan.stderr + shard.stderr + merged.stderr
    assert "hf:org/planned: 0." in plan.stderr
    assert "hf_valid" not in plan.stdout
    assert hub.requests() == []
    assert "nothing is pending" in merged.stdout


@pytest.fixture(scope="module")
def reviews(user: Commands) -> Path:
    table = user.home / "reviews.csv"
    table.write_bytes(csv(60))
    return table


def weights_in(user: Commands, name: str) -> int:
    """Return the bytes that the cache of a user has of a repository."""
    blobs = user.home / "hf" / "hub" / f"models--{name.replace('/', '--')}" / "blobs"
    return sum(file.stat().st_size for file in blobs.glob("*"))


def test_a_search_keeps_the_disk_limit_by_removing_only_its_own_downloads(
    hub: LocalHub, user: Commands, tiny_bert: Path, reviews: Path
) -> None:
    new = ("org/one", "org/two", "org/three")
    for name in (*new, "org/had"):
        hub.add(f"models/{name}", contents(tiny_bert) | {"note": name.encode()})
    size = sum(map(len, contents(tiny_bert).values()))
    known = user.assay("catalogue", "update", *(f"hf:{name}" for name in new))
    user.assay("fetch", "hf:org/had")
    hub.requests()

    run = user.assay(
        "rank", str(reviews), *models(*(f"hf:{name}" for name in (*new, "org/had"))), "--method", "ridge_cv",
        "--no-control", "--tolerance", "0", "--max-disk", f"{1.5 * size / 1000:.0f}KB", "--store", "disk",
    )  # fmt: skip

    asked = {one["path"] for one in hub.requests()}
    assert (known.code, run.code) == (0, 0), run.stderr
    assert all(any(f"/{name}/" in path for path in asked) for name in new)
    assert sum(weights_in(user, name) > 0 for name in new) == 1
    assert weights_in(user, "org/had") > 0


def test_a_search_without_named_models_downloads_only_what_it_tries(
    hub: LocalHub, user: Commands, tiny_bert: Path, reviews: Path
) -> None:
    for choice in curated(Modality.TEXT):
        name = choice.address.partition(":")[2]
        repository = name if "/" in name else f"sentence-transformers/{name}"
        hub.add(f"models/{repository}", contents(tiny_bert) | sentence_files())
    command = (
        "rank",
        str(reviews),
        "--max-models",
        "2",
        "--method",
        "ridge_cv",
        "--no-control",
        "--tolerance",
        "0",
    )

    asked = user.assay(*command, "--dry-run")
    before = hub.requests()
    run = user.assay(*command, "--download", "--store", "curated")

    opened = {one["path"].split("/resolve/")[0] for one in hub.requests() if "/resolve/" in one["path"]}
    assert "or add --download (23 models, 11.8 GB)" in asked.stdout + asked.stderr
    assert before == []
    assert run.code == 0, run.stdout + run.stderr
    assert re.search("downloads, .* GB: ", run.stderr), run.stderr
    assert "1 finished" in run.stdout or "2 finished" in run.stdout, run.stdout
    assert 0 < len(opened) <= 2, opened


def test_the_catalogue_asks_the_hub_only_when_told_to(hub: LocalHub, user: Commands) -> None:
    hub.add("models/org/sounds", {"model.safetensors": b"weights"}, downloads=1234, licence="mit")
    hub.requests()

    updated = user.assay("catalogue", "update", "hf:org/sounds", "hf:org/gone")
    asked = hub.requests()
    refused = user.assay("catalogue", "update", "hf:org/sounds", "--offline")

    assert refused.code == 2
    assert "--offline uses no network" in refused.stderr
    assert hub.requests() == []
    assert updated.stdout == "1 model updated, 1 failed\n", updated.stderr
    assert "org/gone: " in updated.stderr
    assert [request["path"] for request in asked if "/models/" in request["path"]] == [
        "/api/models/org/sounds?blobs=true",
        "/api/models/org/gone?blobs=true",
    ]


@pytest.mark.usefixtures("fetched")
def test_without_the_hub_uncached_models_fail_until_it_is_back(hub: LocalHub, user: Commands) -> None:
    command = ("rank", "hub:org/reviews", *models("hf:org/late", "hf:org/bert"), *KNN, "--store", "late")
    hub.break_off({"path": "org/late/", "status": 503})

    bad_token = user.assay(*command, HF_TOKEN="hf_bad")
    broken = user.assay(*command)
    hub.break_off()
    hub.stop()
    away = user.assay(*command)
    with serving(hub.root, hub.port):
        back = user.assay(*command)

    assert [run.code for run in (bad_token, broken, away, back)] == [1, 1, 1, 0]
    assert "rejects your token (401)" in bad_token.stdout
    assert "answers with a server error (503), and 'hf:org/late' is not in the local cache" in broken.stdout
    assert "'hf:org/late' is not in the local cache, and there is no network, or the hub at " in away.stdout
    assert "It is read as it was downloaded earlier" in away.stderr
    assert not re.search("hf:org/bert on hub", broken.stderr + away.stderr + back.stderr)
    assert back.stdout.count("1.000  0.884 to 1.000") == 2
