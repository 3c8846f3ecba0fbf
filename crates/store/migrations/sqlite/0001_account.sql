-- Who may use this server. Organizations and teams exist from the start because every row that somebody makes is
-- stamped with one; until teams are served, each account acts in its personal organization.

CREATE TABLE organization (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    is_personal INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

-- `email_key` is the address in lower case by Unicode's rules, which the database's own lower() does not know.
CREATE TABLE account (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT,
    password_hash TEXT,
    time_zone TEXT,
    is_admin INTEGER NOT NULL,
    organization BLOB NOT NULL REFERENCES organization (id),
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE member (
    organization BLOB NOT NULL REFERENCES organization (id),
    account BLOB NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_by_account ON member (account);

CREATE TABLE team (
    id BLOB NOT NULL PRIMARY KEY,
    organization BLOB NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE INDEX team_by_organization ON team (organization);

CREATE TABLE team_member (
    team BLOB NOT NULL REFERENCES team (id),
    account BLOB NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX team_member_by_account ON team_member (account);
