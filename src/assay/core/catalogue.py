"""Facts about a model that are known before it is downloaded or opened."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Facts about a model, from listings of its library or of others; None or "" where nobody says.

    Attributes:
        address: The model, as in "timm:resnet50.a1_in1k".
        modality: What it reads.
        parameters: The number of weights, the source head included.
        macs: Multiply-accumulates for one example of the input size.
        input_size: The side of an image in pixels, or the most tokens of a text.
        pretraining: The data sets it was trained on, in this order, separated by commas.
        licence: As in "apache-2.0", or an address.
        released: A date or year, as in "2023-08-02".
        downloads: Downloads of the last month, when they were looked up.
        source_accuracy: Between 0 and 1. For images top-1 on ImageNet, for openclip zero-shot; for texts the
            mean over the English tasks of MTEB.
        download_bytes: The size of its weights; from the number of weights where no listing says.
        is_local: Whether opening it downloads nothing: it is a file, in a package, or in a cache.
        repository: Where its weights lie on the hub, as in "timm/resnet50.a1_in1k".
        cache_file: The file that they are in the cache of another library once they are downloaded.
    """

    address: str
    modality: Modality | None = None
    parameters: int | None = None
    macs: int | None = None
    input_size: int | None = None
    pretraining: str = ""
    licence: str = ""
    released: str = ""
    downloads: int | None = None
    source_accuracy: float | None = None
    download_bytes: int | None = None
    is_local: bool = False
    repository: str = ""
    cache_file: str = ""
