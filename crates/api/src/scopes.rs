//! Scopes as types, so that a handler's signature says what it needs and the document is made from the same word.

use crate::settings::ApiSettings;
use heddle_model::Scope;

/// The scopes a route needs, all of them.
pub trait Scopes: Send + Sync + 'static {
    /// In the order in which missing ones are named.
    const NEEDED: &'static [Scope];

    /// Whether an operator let every credential do without them.
    fn are_waived(_: &ApiSettings) -> bool {
        false
    }
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

/// `READ_STORE`, unless `api.v1_store_scope` says that any credential will do.
pub enum ReadStore {}

impl Scopes for ReadStore {
    const NEEDED: &'static [Scope] = &[Scope::ReadStore];

    fn are_waived(settings: &ApiSettings) -> bool {
        !settings.store_scope_required
    }
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
    /// `USE_TOOLS`.
    UseTools = UseTools;
    /// `WRITE_GRAPH` and `WRITE_LIBRARY`.
    CreateGraph = WriteGraph WriteLibrary;
    /// `READ_INTEGRATIONS`.
    ReadIntegrations = ReadIntegrations;
    /// `MANAGE_INTEGRATIONS`.
    ManageIntegrations = ManageIntegrations;
    /// `DELETE_INTEGRATIONS`.
    DeleteIntegrations = DeleteIntegrations;
}
