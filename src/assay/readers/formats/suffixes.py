"""File name extensions of table files, by format."""

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
JSON = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
ARROW = (".feather", ".arrow", ".ipc")
SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
PACKED = (".gz", ".bz2", ".xz", ".zip")  # behind another suffix, as in reviews.csv.gz; a .zip has one table
PLAIN = (*DELIMITED, *JSON, *PARQUET, *ARROW, *SHEETS)
SUFFIXES = (*PLAIN, *(f"{suffix}{packing}" for suffix in PLAIN for packing in PACKED), ".zip")
