-- Counters of attempts and requests, as they stood when they were last put down, by what they count.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
