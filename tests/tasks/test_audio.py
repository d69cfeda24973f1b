from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Modality, Sound
from assay.readers.files import FolderFiles
from assay.readers.sounds import StoredSounds
from assay.run.study import Study
from assay.testing.tasks import load_task

soundfile = pytest.importorskip("soundfile")

RATE = 8000


def write(path: Path, pitch: float, *, seed: int = 0, channels: int = 1) -> np.ndarray:
    """Write half a second of a tone with some noise, and return its samples."""
    rng = np.random.default_rng(seed)
    tone = 0.5 * np.sin(2 * np.pi * pitch * np.arange(RATE // 2) / RATE)[:, None]
    samples = np.clip(tone + rng.normal(0, 0.05, (RATE // 2, channels)), -1, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE)
    return samples


@pytest.fixture
def tones(tmp_path: Path) -> Path:
    for name, pitch in (("high", 1500.0), ("low", 200.0)):
        for number in range(10):
            write(tmp_path / name / f"{number}.{'wav' if number % 2 else 'flac'}", pitch, seed=number)
    return tmp_path


def test_class_folders_of_sounds_are_a_task(tones: Path) -> None:
    task = load_task(f"audio:{tones}")

    assert (task.modality, task.classes) == (Modality.AUDIO, ("high", "low"))
    assert [len(task.train), len(task.val), len(task.test)] == [12, 4, 4]
    example = task.train.examples.read(0)
    assert isinstance(example, Sound)
    assert (example.rate, example.samples.shape, example.samples.dtype) == (RATE, (RATE // 2,), np.float32)


def test_samples_are_those_that_were_written(tmp_path: Path) -> None:
    written = [
        write(tmp_path / name / f"{row}.wav", 300, seed=row, channels=2) for row in range(5) for name in "ab"
    ]

    task = load_task(f"audio:{tmp_path}")

    name = Path(task.test.examples.name(0))
    samples = written[2 * int(name.stem) + "ab".index(name.parent.name)]
    example = task.test.examples.read(0)
    assert isinstance(example, Sound)
    np.testing.assert_allclose(example.samples, samples.mean(axis=1), atol=1e-4)  # 16 bits


def test_channels_that_cancel_out_are_no_silence(tmp_path: Path) -> None:
    for row, name in enumerate("ab" * 5):
        written = write(tmp_path / name / f"{row}.wav", 300, seed=row)
        soundfile.write(tmp_path / name / f"{row}.wav", np.column_stack([written, -written]), RATE)

    task = load_task(f"audio:{tmp_path}")

    example = task.test.examples.read(0)
    assert isinstance(example, Sound)
    assert np.abs(example.samples).max() > 0.1
    assert "The channels of 10 sounds cancel each other out (first: a/0.wav)" in task.notes[0]


def test_split_folders_are_kept(tmp_path: Path) -> None:
    for part, count in (("train", 6), ("test", 3)):
        for name in ("high", "low"):
            for number in range(count):
                seed = 100 * (part == "test") + 10 * (name == "low") + number
                write(tmp_path / part / name / f"{number}.wav", 300.0, seed=seed)

    task = load_task(f"audio:{tmp_path}")

    assert [len(task.train) + len(task.val), len(task.test)] == [12, 6]


def test_a_broken_sound_is_left_out_and_named(tones: Path) -> None:
    (tones / "low" / "3.wav").write_bytes(b"broken")

    notes = load_task(f"audio:{tones}").notes

    assert any(
        "1 of 20 sounds cannot be read and is left out: low/3.wav (not a sound: " in note for note in notes
    )


def test_many_broken_sounds_stop(tones: Path) -> None:
    for number in (1, 3):
        (tones / "low" / f"{number}.wav").write_bytes(b"")

    with pytest.raises(UnreadableTask, match=r"2 of 20 sounds cannot be read: low/1\.wav \(empty file\)"):
        load_task(f"audio:{tones}")


def test_a_truncated_sound_is_named(tones: Path) -> None:
    for name in ("3.wav", "4.flac"):
        whole = (tones / "low" / name).read_bytes()
        (tones / "low" / name).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UnreadableTask, match=r"low/3\.wav \(truncated\), low/4\.flac \(not a sound: "):
        load_task(f"audio:{tones}")


def test_a_length_that_the_writer_did_not_know_is_no_error(tones: Path) -> None:
    for path in tones.glob("*/*.wav"):
        content = bytearray(path.read_bytes())
        content[4:8] = content[40:44] = b"\xff\xff\xff\xff"  # as ffmpeg writes to a pipe
        path.write_bytes(content)

    task = load_task(f"audio:{tones}(unreadable=0.0)")

    assert len(task.train.examples.read(0).samples) == RATE // 2


def test_a_table_names_sounds_and_their_labels(tones: Path) -> None:
    rows = [
        f"{name}/{n}.{'wav' if n % 2 else 'flac'},{n},{name}" for name in ("high", "low") for n in range(10)
    ]
    (tones / "meta").mkdir()
    (tones / "meta" / "sounds.csv").write_text("\n".join(["filename,fold,category", *rows]))

    listed = load_task(f"audio:{tones}(labels='meta/sounds.csv')")

    assert listed.fingerprint == load_task(f"audio:{tones}").fingerprint


def test_a_table_of_sounds_in_each_folder_of_a_split_is_read(tmp_path: Path) -> None:
    for part, start, count in (("train", 0, 20), ("test", 20, 8)):
        for row in range(start, start + count):
            write(tmp_path / part / f"{row}.wav", 300, seed=row)
        lines = [f"{row}.wav,{'cat' if row % 2 else 'dog'}" for row in range(start, start + count)]
        (tmp_path / part / "metadata.csv").write_text("\n".join(["file_name,label", *lines]))

    task = load_task(f"audio:{tmp_path}")

    assert (len(task.train) + len(task.val), len(task.test), task.classes) == (20, 8, ("cat", "dog"))


def test_a_table_beside_a_folder_of_sounds_names_them(tmp_path: Path) -> None:
    for row in range(20):
        write(tmp_path / "audio" / f"{row}.wav", 300, seed=row)
    table = tmp_path / "meta" / "all.csv"
    table.parent.mkdir()
    table.write_text("filename,class\n" + "".join(f"{row}.wav,{'ab'[row % 2]}\n" for row in range(20)))

    assert load_task(f"table:{table}").modality is Modality.AUDIO
    with pytest.raises(UnreadableTask, match=r"'audio' is not a class. If 'meta/all.csv' lists them"):
        load_task(f"audio:{tmp_path}")


def test_a_table_without_sounds_says_which_column_to_name(tones: Path) -> None:
    (tones / "labels.csv").write_text("name,label\nhigh/1,high\n")

    with pytest.raises(
        UnreadableTask, match=r"No column of labels\.csv holds .* has name, label\. Write .*file="
    ):
        load_task(f"audio:{tones}(labels='labels.csv')")


def test_a_row_without_a_file_is_left_out_and_a_missing_one_too(tones: Path) -> None:
    rows = [f"{name}/{n}.wav,{name}" for name in ("high", "low") for n in (1, 3, 5, 7, 9)]
    (tones / "labels.csv").write_text("\n".join(["file,label", *rows, ",low", "low/77.wav,low"]))

    notes = load_task(f"audio:{tones}(labels='labels.csv')").notes

    assert notes[0] == "1 of 12 rows have an empty cell in 'file' (first: row 11) and are left out."
    assert notes[1] == "1 of 11 sounds cannot be read and is left out: low/77.wav (no such file)."


def test_what_is_beyond_the_limit_is_not_read(tones: Path) -> None:
    kept = load_task(f"audio:{tones}(limit=10, unreadable=0.0)")
    splits = (kept.train, kept.val, kept.test)
    read = {split.examples.name(row) for split in splits for row in range(len(split))}
    for path in tones.glob("*/*"):
        if path.relative_to(tones).as_posix() not in read:
            path.write_bytes(b"broken")

    assert load_task(f"audio:{tones}(limit=10, unreadable=0.0)").fingerprint == kept.fingerprint


def test_a_folder_of_other_files_says_what_is_looked_for(photos: Path) -> None:
    with pytest.raises(UnreadableTask, match=r"has no sounds in class folders.*They end in \.wav, \.flac"):
        load_task(f"audio:{photos}")


def test_a_model_of_images_does_not_read_sounds(tones: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="zoo:colours reads images, but audio:.* holds sounds"):
        Study(models=["zoo:colours"], tasks=[f"audio:{tones}"], store=tmp_path / "store").plan()


def write_both(folder: Path, scale: float) -> None:
    """Write ten loud and ten quiet sounds of floats."""
    for name, loudness in (("loud", 1.0), ("quiet", 0.1)):
        (folder / name).mkdir()
        for number in range(10):
            samples = loudness * scale * np.random.default_rng(number).uniform(-1, 1, 800)
            soundfile.write(folder / name / f"{number}.wav", samples, RATE, subtype="FLOAT")


@pytest.mark.parametrize(("scale", "full"), [(1.0, 1.0), (1.4, 1.0), (32_000.0, 32_768.0), (8e6, 2**23)])
def test_floats_of_any_range_have_one_full_scale(tmp_path: Path, scale: float, full: float) -> None:
    write_both(tmp_path, scale)

    task = load_task(f"audio:{tmp_path}")

    for row in range(len(task.train)):
        stored, _ = soundfile.read(tmp_path / task.train.examples.name(row))
        example = task.train.examples.read(row)
        assert isinstance(example, Sound)
        np.testing.assert_allclose(example.samples, stored / full, rtol=1e-5)
    assert any("is read as full scale" in note for note in task.notes) == (full != 1)


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 1e-2),
        ("wav", "PCM_24", 1e-6),
        ("wav", "PCM_32", 1e-8),
        ("wav", "DOUBLE", 1e-7),
        ("flac", "PCM_24", 1e-6),
        ("ogg", "VORBIS", 5e-2),
        ("mp3", "MPEG_LAYER_III", 5e-2),
        ("aiff", "PCM_16", 1e-4),
    ],
)
def test_every_depth_and_format_is_read(tmp_path: Path, suffix: str, subtype: str, tolerance: float) -> None:
    samples = 0.5 * np.sin(np.arange(1600) / 8)
    soundfile.write(tmp_path / f"a.{suffix}", samples, 16_000, subtype=subtype)
    sounds = StoredSounds(FolderFiles(tmp_path, (f"a.{suffix}",)))

    sound = sounds.read(0)

    assert sound.rate == 16_000
    np.testing.assert_allclose(sound.samples[:1600], samples, atol=tolerance)


def test_a_class_of_sounds_in_another_format_says_what_to_do(tones: Path) -> None:
    (tones / "voice").mkdir()
    for number in range(3):
        (tones / "voice" / f"{number}.m4a").write_bytes(b"x")

    with pytest.raises(
        UnreadableTask, match=r"voice/0\.m4a \(convert it to \.wav or \.flac\).*class 'voice'"
    ):
        load_task(f"audio:{tones}")
