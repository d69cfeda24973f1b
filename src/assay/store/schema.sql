-- One file for each store; columns are named as the fields of the dataclasses that they keep.
CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE results (
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
    metric         TEXT,           -- that a score estimates
    cost           TEXT,           -- JSON: tune_seconds, peak_bytes, device_bytes
    train_rows     INTEGER,        -- the number of train examples used; NULL if all
    dtype          TEXT,           -- of encoding; NULL before version 4: float32
    val_value      REAL,           -- the main metric on val of what was fitted to train alone
    cause          TEXT            -- of a failure: model, environment, time limit; NULL before version 5
);

CREATE TABLE models (
    address  TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    facts    TEXT NOT NULL  -- JSON
);

CREATE TABLE latencies (  -- every measurement of a model's speed; rows are never changed
    model           TEXT NOT NULL,
    identity        TEXT NOT NULL,
    latency_seconds REAL,  -- least for one standard example at batch size 1
    spread          REAL,  -- of the runs: (third quartile - least) / least
    throughput      REAL,  -- standard examples per second in batches
    load            REAL,  -- processes that ran or waited, mean of the last minute
    machine         TEXT,  -- the processor and its cores, or the accelerator
    measured        TEXT   -- UTC, ISO 8601
);

CREATE TABLE tasks (
    address TEXT PRIMARY KEY,
    facts   TEXT NOT NULL  -- JSON
);
