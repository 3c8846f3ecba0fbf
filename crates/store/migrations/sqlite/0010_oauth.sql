-- The authorization server: applications, what people allowed them, and the codes and tokens that came of it. Of every
-- secret only the SHA-256 digest is kept; hash and salt are those of imported applications, until their secret is first
-- used. Lists of addresses are JSON, lists of scopes are names parted by spaces.

CREATE TABLE oauth_app (
    id BLOB NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    logo_url TEXT,
    secret_digest BLOB,
    secret_hash BLOB,
    secret_salt BLOB,
    previous_digest BLOB,
    previous_hash BLOB,
    previous_salt BLOB,
    previous_until INTEGER,
    redirect_uris TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT,
    owner BLOB REFERENCES account (id),
    organization BLOB REFERENCES organization (id),
    origin TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    is_trusted INTEGER NOT NULL,
    is_resource_server INTEGER NOT NULL,
    requires_pushed INTEGER NOT NULL,
    allows_plain INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX oauth_app_by_owner ON oauth_app (owner, created_at);

-- One authorization. Its row decides whether anything counts that came of it.
CREATE TABLE oauth_family (
    id BLOB NOT NULL PRIMARY KEY,
    app BLOB NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at INTEGER,
    ended_at INTEGER,
    ended_why TEXT
) STRICT;

CREATE INDEX oauth_family_by_account ON oauth_family (account, app);
CREATE INDEX oauth_family_by_app ON oauth_family (app);
CREATE INDEX oauth_family_by_end ON oauth_family (expires_at);

-- Used codes stay until their family goes: one that comes again ends it.
CREATE TABLE oauth_code (
    digest BLOB NOT NULL PRIMARY KEY,
    family BLOB NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_was_given INTEGER NOT NULL,
    challenge TEXT NOT NULL,
    challenge_method TEXT NOT NULL,
    nonce TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_code_by_family ON oauth_code (family);

CREATE TABLE oauth_access_token (
    digest BLOB NOT NULL PRIMARY KEY,
    family BLOB NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BLOB NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_access_token_by_family ON oauth_access_token (family);
CREATE INDEX oauth_access_token_by_end ON oauth_access_token (expires_at);

-- Replaced tokens stay until they would have expired: one that comes again ends its family.
CREATE TABLE oauth_refresh_token (
    digest BLOB NOT NULL PRIMARY KEY,
    family BLOB NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    rotated_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_refresh_token_by_family ON oauth_refresh_token (family);
CREATE INDEX oauth_refresh_token_by_end ON oauth_refresh_token (expires_at);

-- What a person allowed an application at any time and has not taken back.
CREATE TABLE oauth_consent (
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    app BLOB NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (account, app)
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_consent_by_app ON oauth_consent (app);

-- Requests that applications handed over directly; form-encoded, without the credentials.
CREATE TABLE oauth_pushed (
    digest BLOB NOT NULL PRIMARY KEY,
    app BLOB NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    parameters TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    opened_at INTEGER,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_pushed_by_app ON oauth_pushed (app);
CREATE INDEX oauth_pushed_by_age ON oauth_pushed (created_at);

-- Keys that sign ID tokens: the public half as two numbers, the private one sealed with the master key and bound to its row.
CREATE TABLE oauth_signing_key (
    kid TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    modulus_or_x BLOB NOT NULL,
    exponent_or_y BLOB NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    signs_until INTEGER
) STRICT, WITHOUT ROWID;

-- Who holds one may register applications while that is for holders only.
CREATE TABLE oauth_registration_token (
    digest BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
