-- Graph versions, and the library that lists an account's agents. A body never changes; only `is_active` may.
-- `parent` is set on a graph that was saved inside another one; such a graph is not in the library by itself.

CREATE TABLE graph (
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    owner BLOB NOT NULL,
    organization BLOB NOT NULL,
    team BLOB,
    parent BLOB,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;

CREATE TABLE library_agent (
    id BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    organization BLOB NOT NULL,
    team BLOB,
    graph_id BLOB NOT NULL,
    graph_version INTEGER NOT NULL,
    is_archived INTEGER NOT NULL DEFAULT 0,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (owner, graph_id),
    FOREIGN KEY (graph_id, graph_version) REFERENCES graph (id, version)
) STRICT;
