//! Ids as types, so that a run is never looked up by a graph's id.
//!
//! Ids that this server makes are UUIDs; ids that come out of agent files (nodes, links, blocks) are texts and are
//! compared exactly as written.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the canonical form (lower case, with dashes); anything else names nothing, so it is `None`.
            pub fn parse(text: &str) -> Option<Self> {
                let id = Uuid::try_parse(text).ok()?;
                (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(Self(id))
            }

            /// A version 4 UUID from 16 random bytes (RFC 9562, 5.4).
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

uuid_id! {
    /// An account.
    UserId,
    /// An organization; every account has a personal one.
    OrgId,
    /// An API key's record (not the key).
    KeyId,
    /// A graph, all its versions together.
    GraphId,
    /// One run of one graph version.
    RunId,
    /// One execution of one node within a run.
    NodeExecId,
    /// A schedule.
    ScheduleId,
    /// A credential for another service.
    CredentialId,
    /// A browser that somebody is signed in with (not the token in it).
    SessionId,
    /// A passkey's record (not the credential's own id).
    PasskeyId,
    /// An OAuth application's record (not its client id).
    AppId,
    /// One authorization: what a code, its tokens and their successors have in common.
    FamilyId,
    /// An agent on the marketplace, all its versions together.
    ListingId,
    /// One version of a listing, which is one submission.
    ListingVersionId,
}

/// An id that follows from what it is for, in the form of version 4, which `v1.md` promises of ids.
pub fn derived(namespace: Uuid, name: &[u8]) -> Uuid {
    uuid::Builder::from_random_bytes(Uuid::new_v5(&namespace, name).into_bytes()).into_uuid()
}

impl RunId {
    /// A version 4 id whose first 48 bits are the time in milliseconds, so that new rows land beside each other in
    /// an index. `random` fills the rest.
    pub fn at(time: crate::Time, random: [u8; 16]) -> Self {
        let mut bytes = random;
        let millis = (time.0 / 1000).max(0) as u64;
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        Self::from_random(bytes)
    }

    /// The run that one execution of an agent node starts: derived, so that starting it again after a crash finds
    /// the same run (RFC 9562, 5.5).
    pub fn child_of(parent: NodeExecId) -> Self {
        Self(Uuid::new_v5(&parent.0, b"run"))
    }

    /// The run that a schedule starts for one of its slots: derived, so that starting it again after a crash finds the
    /// same run; with the slot's time in front, as [`at`](Self::at) has it.
    pub fn of_slot(schedule: ScheduleId, slot: crate::Time) -> Self {
        Self::at(slot, Uuid::new_v5(&schedule.0, &slot.0.to_be_bytes()).into_bytes())
    }
}

impl NodeExecId {
    /// The `index`-th node execution of a run. Derived, so the journal need not carry it.
    pub fn nth(run: RunId, index: u32) -> Self {
        Self(Uuid::new_v5(&run.0, &index.to_be_bytes()))
    }
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Debug)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// A node of a graph; renewed on every save.
    NodeId,
    /// A link of a graph; renewed on every save.
    LinkId,
    /// A block of the catalogue, compared exactly.
    BlockId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;

    #[test]
    fn each_slot_of_each_schedule_has_one_run() {
        let [first, second] = [1, 2].map(|byte| ScheduleId::from_random([byte; 16]));
        let (nine, ten) = (Time(1_770_109_200_000_000), Time(1_770_112_800_000_000));
        assert_eq!(RunId::of_slot(first, nine), RunId::of_slot(first, nine));
        assert_ne!(RunId::of_slot(first, nine), RunId::of_slot(second, nine));
        assert!(RunId::of_slot(first, nine) < RunId::of_slot(second, ten), "time stands in front");
        assert!(RunId::of_slot(second, nine) < RunId::of_slot(first, ten), "time stands in front");
    }
}
