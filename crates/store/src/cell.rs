//! What may stand in a column, on its way in or out, whatever the database: ids are 16 bytes, times are microseconds,
//! names are texts.

use crate::Error;
use heddle_model::{
    AppId, CredentialId, FamilyId, GraphId, KeyId, ListingId, ListingVersionId, Object, OrgId, PasskeyId, RunId,
    ScheduleId, SessionId, Time, UserId, Value,
};
use heddle_oauth::Digest;
use std::borrow::Cow;
use uuid::Uuid;

/// One value of one column.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Flag(bool),
    Bytes(&'a [u8]),
    Text(Cow<'a, str>),
}

/// A database library may log the parameters of a statement; some of them are secret.
impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The parameters of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        [$($crate::cell::Keep::cell(&$value)),*]
    };
}
pub(crate) use args;

/// What can be kept in a column.
pub(crate) trait Keep {
    /// As it is kept.
    fn cell(&self) -> Cell<'_>;
}

macro_rules! keep {
    ($($kept:ty: $value:pat => $cell:expr),* $(,)?) => {
        $(impl Keep for $kept {
            fn cell(&self) -> Cell<'_> {
                let $value = self;
                $cell
            }
        })*
    };
}
keep!(
    Uuid: id => Cell::Bytes(id.as_bytes()),
    AppId: id => id.0.cell(),
    CredentialId: id => id.0.cell(),
    FamilyId: id => id.0.cell(),
    GraphId: id => id.0.cell(),
    KeyId: id => id.0.cell(),
    ListingId: id => id.0.cell(),
    ListingVersionId: id => id.0.cell(),
    OrgId: id => id.0.cell(),
    PasskeyId: id => id.0.cell(),
    RunId: id => id.0.cell(),
    ScheduleId: id => id.0.cell(),
    SessionId: id => id.0.cell(),
    UserId: id => id.0.cell(),
    Digest: digest => Cell::Bytes(&digest.0),
    i64: number => Cell::Int(*number),
    // Event numbers and counts stay far below the databases' integers.
    u64: count => Cell::Int(i64::try_from(*count).unwrap_or(i64::MAX)),
    Time: time => Cell::Int(time.0),
    bool: flag => Cell::Flag(*flag),
    str: text => Cell::Text(Cow::Borrowed(text)),
    String: text => Cell::Text(Cow::Borrowed(text)),
    Vec<u8>: bytes => Cell::Bytes(bytes),
);

impl<const LENGTH: usize> Keep for [u8; LENGTH] {
    fn cell(&self) -> Cell<'_> {
        Cell::Bytes(self)
    }
}

impl<T: Keep> Keep for Option<T> {
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
}

impl<T: Keep + ?Sized> Keep for &T {
    fn cell(&self) -> Cell<'_> {
        (**self).cell()
    }
}

/// The error for a value that none of ours is.
pub(crate) fn unreadable(column: usize, what: &str) -> Error {
    Error::Corrupt(format!("column {column} holds {what}"))
}

/// One row of an answer. Columns are numbered from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>, Error> {
        match self {
            Self::Sqlite(row) => crate::sqlite::cell(row, column),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A number.
    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        self.int_option(column)?.ok_or_else(|| unreadable(column, "nothing"))
    }

    fn int_option(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.cell(column)? {
            Cell::Int(number) => Ok(Some(number)),
            Cell::Null => Ok(None),
            _ => Err(unreadable(column, "no number")),
        }
    }

    /// Something that counts.
    pub(crate) fn count(&self, column: usize) -> Result<u64, Error> {
        u64::try_from(self.int(column)?).map_err(|_| unreadable(column, "a number below nought"))
    }

    /// A time.
    pub(crate) fn time(&self, column: usize) -> Result<Time, Error> {
        self.int(column).map(Time)
    }

    /// Perhaps a time.
    pub(crate) fn time_option(&self, column: usize) -> Result<Option<Time>, Error> {
        Ok(self.int_option(column)?.map(Time))
    }

    /// Yes or no; SQLite has numbers for them.
    pub(crate) fn flag(&self, column: usize) -> Result<bool, Error> {
        match self.cell(column)? {
            Cell::Flag(flag) => Ok(flag),
            Cell::Int(number) => Ok(number != 0),
            _ => Err(unreadable(column, "neither yes nor no")),
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], Error> {
        match self.cell(column)? {
            Cell::Bytes(bytes) => Ok(bytes),
            _ => Err(unreadable(column, "no bytes")),
        }
    }

    /// Perhaps bytes.
    pub(crate) fn bytes_option(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.bytes(column).map(Some),
        }
    }

    /// A known number of bytes.
    pub(crate) fn array<const LENGTH: usize>(&self, column: usize) -> Result<[u8; LENGTH], Error> {
        self.bytes(column)?.try_into().map_err(|_| unreadable(column, "too few or too many bytes"))
    }

    /// An id.
    pub(crate) fn id(&self, column: usize) -> Result<Uuid, Error> {
        self.array(column).map(Uuid::from_bytes)
    }

    /// Perhaps an id.
    pub(crate) fn id_option(&self, column: usize) -> Result<Option<Uuid>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.id(column).map(Some),
        }
    }

    /// A text, for looking at.
    pub(crate) fn str(&self, column: usize) -> Result<Cow<'_, str>, Error> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            _ => Err(unreadable(column, "no text")),
        }
    }

    /// A text, for keeping.
    pub(crate) fn text(&self, column: usize) -> Result<String, Error> {
        self.str(column).map(Cow::into_owned)
    }

    /// Perhaps a text.
    pub(crate) fn text_option(&self, column: usize) -> Result<Option<String>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.into_owned())),
            _ => Err(unreadable(column, "no text")),
        }
    }

    /// JSON, however deep.
    pub(crate) fn json(&self, column: usize) -> Result<Value, Error> {
        crate::codec::parse(self.str(column)?.as_bytes()).map_err(|error| unreadable(column, &error.to_string()))
    }

    /// A JSON object.
    pub(crate) fn object(&self, column: usize) -> Result<Object, Error> {
        match self.json(column)? {
            Value::Object(object) => Ok(object),
            _ => Err(unreadable(column, "no JSON object")),
        }
    }
}
