-- The authorization server: applications, what people allowed them, and the codes and tokens that came of it. Of every
-- secret only the SHA-256 digest is kept; hash and salt are those of imported applications, until their secret is first
-- used. Lists of addresses are JSON, lists of scopes are names parted by spaces.

CREATE TABLE oauth_app (
    id BYTEA NOT NULL PRIMARY KEY,
    client_id TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    logo_url TEXT,
    secret_digest BYTEA,
    secret_hash BYTEA,
    secret_salt BYTEA,
    previous_digest BYTEA,
    previous_hash BYTEA,
    previous_salt BYTEA,
    previous_until BIGINT,
    redirect_uris TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT,
    owner BYTEA REFERENCES account (id),
    organization BYTEA REFERENCES organization (id),
    origin TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_trusted BOOLEAN NOT NULL,
    is_resource_server BOOLEAN NOT NULL,
    requires_pushed BOOLEAN NOT NULL,
    allows_plain BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX oauth_app_by_owner ON oauth_app (owner, created_at);

-- One authorization. Its row decides whether anything counts that came of it.
CREATE TABLE oauth_family (
    id BYTEA NOT NULL PRIMARY KEY,
    app BYTEA NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    account BYTEA NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at BIGINT,
    ended_at BIGINT,
    ended_why TEXT
);

CREATE INDEX oauth_family_by_account ON oauth_family (account, app);
CREATE INDEX oauth_family_by_app ON oauth_family (app);
CREATE INDEX oauth_family_by_end ON oauth_family (expires_at);

-- Used codes stay until their family goes: one that comes again ends it.
CREATE TABLE oauth_code (
    digest BYTEA NOT NULL PRIMARY KEY,
    family BYTEA NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BYTEA NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_was_given BOOLEAN NOT NULL,
    challenge TEXT NOT NULL,
    challenge_method TEXT NOT NULL,
    nonce TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX oauth_code_by_family ON oauth_code (family);

CREATE TABLE oauth_access_token (
    digest BYTEA NOT NULL PRIMARY KEY,
    family BYTEA NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BYTEA NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX oauth_access_token_by_family ON oauth_access_token (family);
CREATE INDEX oauth_access_token_by_end ON oauth_access_token (expires_at);

-- Replaced tokens stay until they would have expired: one that comes again ends its family.
CREATE TABLE oauth_refresh_token (
    digest BYTEA NOT NULL PRIMARY KEY,
    family BYTEA NOT NULL REFERENCES oauth_family (id) ON DELETE CASCADE,
    app BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT
);

CREATE INDEX oauth_refresh_token_by_family ON oauth_refresh_token (family);
CREATE INDEX oauth_refresh_token_by_end ON oauth_refresh_token (expires_at);

-- What a person allowed an application at any time and has not taken back.
CREATE TABLE oauth_consent (
    account BYTEA NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    app BYTEA NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (account, app)
);

CREATE INDEX oauth_consent_by_app ON oauth_consent (app);

-- Requests that applications handed over directly; form-encoded, without the credentials.
CREATE TABLE oauth_pushed (
    digest BYTEA NOT NULL PRIMARY KEY,
    app BYTEA NOT NULL REFERENCES oauth_app (id) ON DELETE CASCADE,
    parameters TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    opened_at BIGINT,
    used_at BIGINT
);

CREATE INDEX oauth_pushed_by_app ON oauth_pushed (app);
CREATE INDEX oauth_pushed_by_age ON oauth_pushed (created_at);

-- Keys that sign ID tokens: the public half as two numbers, the private one sealed with the master key and bound to its row.
CREATE TABLE oauth_signing_key (
    kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    modulus_or_x BYTEA NOT NULL,
    exponent_or_y BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    signs_until BIGINT
);

-- Who holds one may register applications while that is for holders only.
CREATE TABLE oauth_registration_token (
    digest BYTEA NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
