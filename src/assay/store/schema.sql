-- One file for each store; columns are named as the fields of the dataclasses that they keep.
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS results (
    key            TEXT PRIMARY KEY,  -- a hash of everything that decides the number
    model          TEXT NOT NULL,
    task           TEXT NOT NULL,
    method         TEXT NOT NULL,
    seed           INTEGER NOT NULL,
    fingerprint    TEXT NOT NULL,  -- of the task: its examples, labels and split
    status         TEXT NOT NULL CHECK (status IN ('ok', 'skipped', 'failed')),
    value          REAL,
    metrics        TEXT NOT NULL,  -- JSON
    tuned          TEXT NOT NULL,  -- JSON
    notes          TEXT NOT NULL,  -- JSON
    reason         TEXT NOT NULL,
    seconds        REAL NOT NULL,
    encode_seconds REAL NOT NULL,
    finished       TEXT NOT NULL,  -- UTC, ISO 8601
    interval       TEXT,           -- JSON: low, high, level of a score
    metric         TEXT,           -- that a score foretells
    cost           TEXT            -- JSON: tune_seconds, peak_bytes, device_bytes
);

CREATE TABLE IF NOT EXISTS models (
    address         TEXT PRIMARY KEY,
    identity        TEXT NOT NULL,
    facts           TEXT NOT NULL,  -- JSON
    latency_seconds REAL,
    throughput      REAL           -- examples a second
);

CREATE TABLE IF NOT EXISTS tasks (
    address TEXT PRIMARY KEY,
    facts   TEXT NOT NULL  -- JSON
);
