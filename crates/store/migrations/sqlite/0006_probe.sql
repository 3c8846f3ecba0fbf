-- One row that the health check writes, to prove that the disk still takes what it is given.

CREATE TABLE probe (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    written_at INTEGER NOT NULL
) STRICT;
