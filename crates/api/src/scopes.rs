//! Scopes as types, so that a handler's signature says what it needs and the document is made from the same word.

use heddle_model::Scope;

/// The scopes a route needs, all of them.
pub trait Scopes: Send + Sync + 'static {
    /// In the order in which missing ones are named.
    const NEEDED: &'static [Scope];
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $($scope:ident)+;)+) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl Scopes for $name {
            const NEEDED: &'static [Scope] = &[$(Scope::$scope),+];
        }
    )+};
}

scopes! {
    /// `IDENTITY`.
    Identity = Identity;
    /// `READ_BLOCK`.
    ReadBlock = ReadBlock;
    /// `EXECUTE_BLOCK`.
    ExecuteBlock = ExecuteBlock;
    /// `READ_GRAPH`.
    ReadGraph = ReadGraph;
    /// `EXECUTE_GRAPH`.
    ExecuteGraph = ExecuteGraph;
    /// `WRITE_GRAPH` and `WRITE_LIBRARY`.
    CreateGraph = WriteGraph WriteLibrary;
}
