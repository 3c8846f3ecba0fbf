-- Graph versions, and the library that lists an account's agents. A body never changes; only `is_active` may.
-- `parent` is set on a graph that was saved inside another one; such a graph is not in the library by itself.
-- Bodies come compressed, so the database need not try.

CREATE TABLE graph (
    id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    owner BYTEA NOT NULL,
    organization BYTEA NOT NULL,
    team BYTEA,
    parent BYTEA,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id, version)
);

ALTER TABLE graph ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE library_agent (
    id BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL,
    organization BYTEA NOT NULL,
    team BYTEA,
    graph_id BYTEA NOT NULL,
    graph_version BIGINT NOT NULL,
    is_archived BOOLEAN NOT NULL DEFAULT FALSE,
    is_deleted BOOLEAN NOT NULL DEFAULT FALSE,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (owner, graph_id),
    FOREIGN KEY (graph_id, graph_version) REFERENCES graph (id, version)
);
