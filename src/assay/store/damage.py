"""Reports which files of a store were damaged or had no checksum, by their contents."""

from __future__ import annotations

from assay.core.task import SplitName
from assay.store.cache import CACHED
from assay.store.file_labels import Owners
from assay.store.results import Store
from assay.wording.damage import Damage, damage_sentences, unchecked_sentence


def warnings_of(store: Store) -> tuple[str, ...]:
    """Return a sentence for each kind of damage that this process met when it read the store."""
    owners, arrays, damages = Owners(store), store.arrays, []
    for name, reason in sorted(arrays.damaged.items()):
        shelf, _, file = name.partition("/")
        key = file.rpartition(".")[0]
        what, of = owners.of(shelf, key)
        is_cached = shelf in CACHED
        split = key.rpartition("-")[2]
        if is_cached and split in set(SplitName):
            of += f" ({split})"
        damages.append(Damage(what, of, reason, arrays.is_mended(name), is_cached))
    sentences = damage_sentences(damages)
    for is_mended in (True, False):
        count = sum(arrays.has_checksum(name) is is_mended for name in arrays.unchecked)
        if count:
            sentences = (*sentences, unchecked_sentence(count, is_mended=is_mended))
    return sentences
