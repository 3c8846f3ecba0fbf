//! Both databases have the same tables, said in the same words.

use crate::bed::{Bed, Place};
use heddle_cluster::Cluster;
use std::collections::BTreeSet;

const SQLITE: &str = "
    WITH tables AS (SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%')
    SELECT format('column %s.%s %s%s%s', tables.name, c.name,
        CASE WHEN c.name LIKE 'is\\_%' ESCAPE '\\'
            OR c.name IN ('parked', 'editable', 'processed', 'was_edited', 'requires_pushed', 'allows_plain',
                'redirect_was_given', 'can_be_backed_up') THEN 'flag' WHEN c.type = 'BLOB' THEN 'bytes'
            WHEN c.type = 'INTEGER' THEN 'number' ELSE lower(c.type) END,
        iif(c.\"notnull\", ' always', ''), iif(c.dflt_value IS NULL, '', ' default'))
    FROM tables, pragma_table_info(tables.name) AS c
    UNION ALL SELECT format('key %s (%s)', name, group_concat(part, ', ')) FROM
        (SELECT tables.name, c.name AS part FROM tables, pragma_table_info(tables.name) AS c WHERE c.pk > 0
        ORDER BY tables.name, c.pk) GROUP BY name
    UNION ALL SELECT format('%s %s (%s)%s', kind, name, group_concat(part, ', '), iif(partial, ' partial', '')) FROM
        (SELECT tables.name, iif(i.\"unique\", 'unique', 'index') AS kind, i.name AS own, i.partial, c.name AS part
        FROM tables, pragma_index_list(tables.name) AS i, pragma_index_info(i.name) AS c WHERE i.origin <> 'pk'
        ORDER BY i.name, c.seqno) GROUP BY own
    UNION ALL SELECT format('reference %s (%s) %s (%s)', name, group_concat(\"from\", ', '), target,
        group_concat(\"to\", ', ')) FROM
        (SELECT tables.name, f.id, f.\"from\", f.\"to\", f.\"table\" AS target
        FROM tables, pragma_foreign_key_list(tables.name) AS f ORDER BY tables.name, f.id, f.seq) GROUP BY name, id";

const POSTGRES: &str = "
    SELECT format('column %s.%s %s%s%s', table_name, column_name,
        CASE data_type WHEN 'boolean' THEN 'flag' WHEN 'bytea' THEN 'bytes' WHEN 'bigint' THEN 'number'
            ELSE data_type END,
        CASE is_nullable WHEN 'NO' THEN ' always' END, CASE WHEN column_default IS NOT NULL THEN ' default' END)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT format('%s %s (%s)%s',
        CASE WHEN indisprimary THEN 'key' WHEN indisunique THEN 'unique' ELSE 'index' END, indrelid::regclass,
        (SELECT string_agg(pg_get_indexdef(indexrelid, n, true), ', ' ORDER BY n)
            FROM generate_series(1, indnatts) AS n), CASE WHEN indpred IS NOT NULL THEN ' partial' END)
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('reference %s (%s) %s (%s)', conrelid::regclass,
        (SELECT string_agg(attname, ', ' ORDER BY n) FROM unnest(conkey) WITH ORDINALITY AS k (a, n)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = k.a), confrelid::regclass,
        (SELECT string_agg(attname, ', ' ORDER BY n) FROM unnest(confkey) WITH ORDINALITY AS k (a, n)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = k.a))
    FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace";

/// Where they differ, and on purpose; why is said in the migration.
const DIFFERENCES: [(&str, &str); 2] = [
    ("column key_value.key text always", "column key_value.key bytes always"),
    ("key key_value (owner, key)", "unique key_value (owner, sha256(key))"),
];

/// What tells the processes apart that come one after the other; a file's lock needs no such thing.
const SERVER_ONLY: [&str; 3] =
    ["column tenure.id number always", "column tenure.number number always", "key tenure (id)"];

#[test]
fn both_databases_end_in_the_same_tables() {
    let Some(there) = Bed::postgres() else { return };
    let Place::Postgres(url) = &there.place else { unreachable!("it was asked for") };
    let cluster = Cluster::shared().unwrap();
    let mut postgres: BTreeSet<String> = cluster.sql(url, POSTGRES).lines().map(str::to_owned).collect();

    for line in SERVER_ONLY {
        assert!(postgres.remove(line), "{line}");
    }

    let here = Bed::sqlite();
    let db = rusqlite::Connection::open(here.path()).unwrap();
    let mut statement = db.prepare(SQLITE).unwrap();
    let lines = statement.query_map([], |row| row.get(0)).unwrap();
    let mut sqlite: BTreeSet<String> = lines.collect::<Result<_, _>>().unwrap();
    for (ours, theirs) in DIFFERENCES {
        assert!(sqlite.remove(ours), "{ours}");
        sqlite.insert(theirs.to_owned());
    }
    assert!(sqlite.len() > 80, "{sqlite:#?}");
    let (only_sqlite, only_postgres): (Vec<_>, Vec<_>) =
        (sqlite.difference(&postgres).collect(), postgres.difference(&sqlite).collect());
    assert!(only_sqlite.is_empty() && only_postgres.is_empty(), "{only_sqlite:#?} {only_postgres:#?}");
}
