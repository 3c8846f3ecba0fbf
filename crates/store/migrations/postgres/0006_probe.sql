-- One row that the health check writes, to prove that the disk still takes what it is given.

CREATE TABLE probe (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    written_at BIGINT NOT NULL
);
