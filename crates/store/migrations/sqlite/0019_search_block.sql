-- The index, packed: one row for a term and 256 listings, where there was one for a term and a listing. Common words were
-- tens of thousands of rows to read for one question. What a body is, the module `posting` of `heddle-search` says.

DROP TABLE search_posting;

CREATE TABLE search_block (
    term INTEGER NOT NULL,
    block INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (term, block)
) STRICT, WITHOUT ROWID;

-- The terms that a listing is posted under, as a JSON list: what is to be taken back when its text changes.
CREATE TABLE search_document (
    listing INTEGER NOT NULL PRIMARY KEY,
    terms TEXT NOT NULL
) STRICT;

-- A search among those that an operator chose looks at no others.
CREATE INDEX listing_by_choice ON listing (number) WHERE is_featured;

-- Nothing is posted now; the server's next start indexes everything that is shown. Terms keep their numbers and trigrams.
UPDATE search_term SET listing_count = 0;
UPDATE listing SET indexed_as = 0;
