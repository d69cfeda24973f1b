"""What columns of tables are called in the data sets that people share."""

from __future__ import annotations

# in the order of trust: the first that a table has is taken
LABELS = (
    "label",
    "labels",
    "class",
    "target",
    "category",
    "y",
    "stars",
    "rating",
    "score",
    "sentiment",
    "intent",
    "polarity",
    "topic",
    "emotion",
    "relatedness_score",
    "similarity",
    "gold_label",
    "label_text",
    "class_name",
    "answer",
)
TEXTS = (
    "text",
    "sentence",
    "review",
    "content",
    "question",
    "document",
    "body",
    "message",
    "utterance",
    "comment",
    "tweet",
    "title",
    "query",
    "description",
    "abstract",
    "headline",
    "x",
    "input",
    "tokens",
    "words",
)
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("sentence_a", "sentence_b"),
    ("question", "sentence"),
)
IMAGES = (
    "file",
    "image",
    "path",
    "filename",
    "file_name",
    "image_path",
    "file_path",
    "filepath",
    "img",
    "img_path",
    "image_file",
)
SPLITS = ("split", "set", "fold", "subset", "partition")

# of texts that are cut into words, and of the tags of these
WORDS = ("words", "tokens", "word", "token", "form", "forms")
TAGS = (
    "tags",
    "ner_tags",
    "pos_tags",
    "labels",
    "slots",
    "ner",
    "pos",
    "upos",
    "tag",
    "label",
    "chunk_tags",
    "entities",
    "iob",
    "bio",
)
