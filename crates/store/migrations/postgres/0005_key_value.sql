-- What storage blocks keep for an account, as JSON. The JSON is a text because the database's own type refuses some
-- values (a zero character) and changes others (numbers).
--
-- A key is as long as somebody makes it, and an index entry is bounded here: so the key's digest is unique instead of
-- the key, which is kept as the bytes that the digest is taken of.

CREATE TABLE key_value (
    owner BYTEA NOT NULL,
    key BYTEA NOT NULL,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX key_value_by_key ON key_value (owner, sha256(key));
