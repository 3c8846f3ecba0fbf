-- The marketplace: creators, their listings, each with the versions they handed in, what people think of them, and what
-- they are found by. `number` is a listing's short id, for the index. Lists of texts are JSON.

CREATE TABLE creator (
    owner BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    links TEXT NOT NULL,
    avatar TEXT,
    is_featured INTEGER NOT NULL,
    folded TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- `active` is the version that is shown; without one the listing is nowhere. `rating` is the mean in thousandths, kept for
-- sorting. `indexed_as` is the way of indexing by which it is found, 0 while it is not.
CREATE TABLE listing (
    number INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    owner BLOB NOT NULL REFERENCES creator (owner),
    organization BLOB NOT NULL,
    graph_id BLOB NOT NULL UNIQUE,
    slug TEXT NOT NULL,
    active BLOB,
    withdrawn_at INTEGER,
    is_featured INTEGER NOT NULL,
    run_count INTEGER NOT NULL,
    rating_sum INTEGER NOT NULL,
    rating_count INTEGER NOT NULL,
    rating INTEGER NOT NULL,
    name_key TEXT NOT NULL,
    shown_at INTEGER NOT NULL,
    indexed_as INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (owner, slug)
) STRICT;

CREATE INDEX listing_by_rating ON listing (rating) WHERE active IS NOT NULL;
CREATE INDEX listing_by_runs ON listing (run_count) WHERE active IS NOT NULL;
CREATE INDEX listing_by_name ON listing (name_key) WHERE active IS NOT NULL;
CREATE INDEX listing_by_time ON listing (shown_at) WHERE active IS NOT NULL;

-- One submission: what its creator says of one version of the graph. An approved one never changes but for its status.
CREATE TABLE listing_version (
    id BLOB NOT NULL PRIMARY KEY,
    listing INTEGER NOT NULL REFERENCES listing (number) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    graph_version INTEGER NOT NULL,
    name TEXT NOT NULL,
    sub_heading TEXT NOT NULL,
    description TEXT NOT NULL,
    instructions TEXT,
    categories TEXT NOT NULL,
    images TEXT NOT NULL,
    video TEXT,
    output_demo TEXT,
    schedule TEXT,
    changes TEXT,
    status TEXT NOT NULL,
    submitted_at INTEGER,
    reviewed_at INTEGER,
    reviewer BLOB,
    comments TEXT,
    notes TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (listing, version)
) STRICT;

CREATE INDEX listing_version_by_status ON listing_version (status, submitted_at);

-- The categories of the active version.
CREATE TABLE listing_category (
    category TEXT NOT NULL,
    listing INTEGER NOT NULL REFERENCES listing (number) ON DELETE CASCADE,
    PRIMARY KEY (category, listing)
) STRICT, WITHOUT ROWID;

CREATE INDEX listing_category_by_listing ON listing_category (listing);

CREATE TABLE listing_rating (
    listing INTEGER NOT NULL REFERENCES listing (number) ON DELETE CASCADE,
    account BLOB NOT NULL REFERENCES account (id),
    score INTEGER NOT NULL,
    comment TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (listing, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX listing_rating_by_time ON listing_rating (listing, updated_at);

-- What others run of a graph version: a copy without its author's secrets. It stays when the listing goes: runs read the
-- version that they began with.
CREATE TABLE published_graph (
    graph_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    owner BLOB NOT NULL,
    body BLOB NOT NULL,
    approved_at INTEGER,
    PRIMARY KEY (graph_id, version)
) STRICT;

-- The index: each term, how many listings have it, and how much it weighs in each.
CREATE TABLE search_term (
    number INTEGER NOT NULL PRIMARY KEY,
    term TEXT NOT NULL UNIQUE,
    listing_count INTEGER NOT NULL
) STRICT;

CREATE TABLE search_posting (
    term INTEGER NOT NULL,
    listing INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    PRIMARY KEY (term, listing)
) STRICT, WITHOUT ROWID;

CREATE INDEX search_posting_by_listing ON search_posting (listing);

-- Of the terms that are words: which runs of three letters they have, for misspelt ones.
CREATE TABLE search_trigram (
    trigram TEXT NOT NULL,
    term INTEGER NOT NULL,
    PRIMARY KEY (trigram, term)
) STRICT, WITHOUT ROWID;

-- Pictures, named by the SHA-256 of their bytes. In the database, not beside it: a backup has them, and so does every process.
CREATE TABLE picture (
    digest BLOB NOT NULL,
    owner BLOB NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (digest, owner)
) STRICT;

CREATE INDEX picture_by_owner ON picture (owner, created_at);
