//! Why an answer proves nothing.

/// One reason. The text is for whoever runs the server; persons are told less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// It is not built as the standard says.
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    /// A part of it is longer than any honest one.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// It answers the other question: a new passkey was asked for and a sign-in came, or the other way round.
    #[error("it is the answer to another kind of question")]
    Purpose,
    /// It answers another challenge.
    #[error("it is the answer to another challenge")]
    Challenge,
    /// It was given to a page of another origin, or to a page inside one of another origin.
    #[error("it was given to a page of another origin")]
    Origin,
    /// It was made for another server.
    #[error("it was made for another server")]
    Party,
    /// Nobody touched the authenticator.
    #[error("nobody was there")]
    Absent,
    /// The authenticator did not make sure who the person is.
    #[error("the person was not verified")]
    Unverified,
    /// It says that it is backed up and cannot be, or that it is another kind than it was.
    #[error("it contradicts itself about backups")]
    Backup,
    /// The key is none that was asked for, or none at all.
    #[error("the key is of no kind that was asked for")]
    Key,
    /// The key's own statement about itself is wrong.
    #[error("the attestation does not hold")]
    Attestation,
    /// It speaks of two credentials.
    #[error("it speaks of two credentials")]
    Credential,
    /// The signature is not the kept key's.
    #[error("the signature is not that of the key")]
    Signature,
    /// The counter did not go up: there may be two of this authenticator.
    #[error("the counter did not go up, the authenticator may have been copied")]
    Counter,
}
