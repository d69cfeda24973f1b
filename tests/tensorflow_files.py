"""Writes small models of Keras and TensorFlow, and what the libraries alone say of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

for package in ("matplotlib", "sklearn", "pandas"):  # Keras loads them for plots and wrappers
    sys.modules[package] = None

import keras
import tensorflow as tf
from keras.applications import mobilenet
from PIL import Image

FOLDER = Path(sys.argv[1])


class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


class Colours(tf.Module):
    """As TF Hub has image models: called with pictures of any size, values 0 to 1."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def __call__(self, images):
        return tf.reduce_mean(images, [1, 2])


class Words(tf.Module):
    """As TF Hub has text models: called with strings."""

    def __init__(self):
        self.table = tf.Variable(np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        numbers = tf.strings.to_hash_bucket_fast(tf.strings.split(texts), 64)
        return tf.reduce_sum(tf.gather(self.table, numbers), axis=1)


def stacked(*layers: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((16, 16, 3)), *layers])


def application() -> dict[str, np.ndarray]:
    """The features and probabilities of a MobileNet with random weights, by Keras alone."""
    keras.utils.set_random_seed(0)
    model = mobilenet.MobileNet(weights=None, input_shape=(64, 64, 3))
    pixels = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    resized = np.asarray(Image.fromarray(pixels).resize((73, 73), Image.Resampling.BILINEAR))
    cropped = resized[4:68, 4:68]  # (73 - 64) / 2 = 4.5, to the even pixel
    batch = mobilenet.preprocess_input(cropped[None].astype(np.float32))
    mean = next(layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D))
    features = np.asarray(keras.Model(model.inputs, mean.output)(batch)).reshape(1, -1)
    return {"pixels": pixels, "features": features, "probs": np.asarray(model(batch))}


def rescaling() -> dict[str, keras.Model]:
    """Models that expect pixels in 0..255, by what they do to them; "deep" and "unit" expect 0..1."""
    layers, inputs = keras.layers, keras.Input((16, 16, 3))
    whole = keras.Input((16, 16, 3), dtype="uint8")
    statistics = {"mean": [127.0] * 3, "variance": [4000.0] * 3}
    body = stacked(layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D())
    rescaled = stacked(layers.Rescaling(1 / 127.5, offset=-1), body)
    norm = stacked(layers.Normalization(**statistics))
    deep = layers.Rescaling(0.2)(layers.Conv2D(4, 3)(inputs))
    caffe = keras.applications.resnet.preprocess_input
    return {
        "flat": stacked(layers.Rescaling(1 / 255), *body.layers),
        "nested": keras.Model(inputs, rescaled(inputs)),
        "augmented": stacked(stacked(layers.RandomFlip(), layers.Rescaling(1 / 255)), body),
        "operations": keras.Model(inputs, body(inputs / 127.5 - 1.0)),
        "normalised": keras.Model(inputs, body(norm(inputs))),
        "caffe": keras.Model(inputs, body(caffe(inputs))),
        "cut": keras.Model(inputs, body(keras.ops.clip(inputs, 0, 255))),
        "whole": keras.Model(whole, body(keras.ops.cast(whole, "float32") / 255.0)),
        "deep": keras.Model(inputs, layers.GlobalAveragePooling2D()(deep)),
        "unit": stacked(layers.Rescaling(2.0, offset=-1), body),
    }


keras.utils.set_random_seed(0)
net = stacked(
    keras.layers.Conv2D(8, 3, activation="relu", name="maps"),
    keras.layers.GlobalAveragePooling2D(name="pool"),
    keras.layers.Dense(5, activation="softmax", name="classes"),
)
net.save(FOLDER / "net.keras")
net.save(FOLDER / "net.h5")
net.save_weights(FOLDER / "only.weights.h5")
net.export(FOLDER / "saved", verbose=False)
rescaling()["operations"].save(FOLDER / "operations.h5")
stacked(Twice(), keras.layers.GlobalAveragePooling2D()).save(FOLDER / "custom.h5")
stacked(keras.layers.Lambda(lambda values: 2 * values)).save(FOLDER / "lambda.keras")
keras.Sequential([keras.layers.GlobalAveragePooling2D()]).save(FOLDER / "unbuilt.keras")
(FOLDER / "truncated.keras").write_bytes((FOLDER / "net.keras").read_bytes()[:900])
tf.saved_model.save(Colours(), FOLDER / "colours")
tf.saved_model.save(Words(), FOLDER / "words")

picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
batch = picture[None].astype(np.float32) / 255
pool = keras.Model(net.inputs, net.get_layer("pool").output)
np.savez(FOLDER / "net.npz", pixels=picture, features=np.asarray(pool(batch)), probs=np.asarray(net(batch)))
np.savez(FOLDER / "application.npz", **application())

pixels = picture[None].astype(np.float32)
said = {}
for name, model in rescaling().items():
    model.save(FOLDER / f"{name}.keras")
    said[name] = np.asarray(model(pixels / 255 if name in ("deep", "unit") else pixels))
    if name in ("nested", "whole"):
        model.export(FOLDER / f"saved_{name}", verbose=False)
    if name == "nested":
        model.save(FOLDER / "nested.h5")
np.savez(FOLDER / "rescaling.npz", pixels=picture, **said)
