-- What an application's ID tokens are signed with. Those that are here go on with what all had.
ALTER TABLE oauth_app ADD COLUMN id_token_algorithm TEXT NOT NULL DEFAULT 'RS256';
