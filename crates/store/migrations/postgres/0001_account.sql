-- Who may use this server. Organizations and teams exist from the start because every row that somebody makes is
-- stamped with one; until teams are served, each account acts in its personal organization.
--
-- Texts with an index are compared by their bytes: the order of a locale may change with the system's library, and an
-- index built under the old one is then damaged.

CREATE TABLE organization (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    is_personal BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

-- `email_key` is the address in lower case by Unicode's rules, not the database's locale's.
CREATE TABLE account (
    id BYTEA NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT,
    password_hash TEXT,
    time_zone TEXT,
    is_admin BOOLEAN NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE member (
    organization BYTEA NOT NULL REFERENCES organization (id),
    account BYTEA NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization, account)
);

CREATE INDEX member_by_account ON member (account);

CREATE TABLE team (
    id BYTEA NOT NULL PRIMARY KEY,
    organization BYTEA NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE INDEX team_by_organization ON team (organization);

CREATE TABLE team_member (
    team BYTEA NOT NULL REFERENCES team (id),
    account BYTEA NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team, account)
);

CREATE INDEX team_member_by_account ON team_member (account);
