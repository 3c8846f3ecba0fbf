//! What a credential may do: exact names, no hierarchy (`auth.md` 4).

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// One permission of an API key or a token.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[allow(missing_docs)]
        pub enum Scope { $(#[serde(rename = $name)] $variant),* }

        impl Scope {
            /// Every scope, in the order of the contract.
            pub const ALL: &'static [Scope] = &[$(Scope::$variant),*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Scope::$variant => $name),* }
            }

            /// The scope of exactly this name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Scope::$variant),)* _ => None }
            }
        }
    };
}

scopes! {
    Identity = "IDENTITY",
    ExecuteGraph = "EXECUTE_GRAPH",
    ReadGraph = "READ_GRAPH",
    WriteGraph = "WRITE_GRAPH",
    ExecuteBlock = "EXECUTE_BLOCK",
    ReadBlock = "READ_BLOCK",
    ReadLibrary = "READ_LIBRARY",
    WriteLibrary = "WRITE_LIBRARY",
    RunAgent = "RUN_AGENT",
    ReadRun = "READ_RUN",
    WriteRun = "WRITE_RUN",
    ShareRun = "SHARE_RUN",
    ReadRunReview = "READ_RUN_REVIEW",
    WriteRunReview = "WRITE_RUN_REVIEW",
    ReadSchedule = "READ_SCHEDULE",
    WriteSchedule = "WRITE_SCHEDULE",
    ReadFiles = "READ_FILES",
    WriteFiles = "WRITE_FILES",
    ReadStore = "READ_STORE",
    WriteStore = "WRITE_STORE",
    ReadCredits = "READ_CREDITS",
    UseTools = "USE_TOOLS",
    ReadIntegrations = "READ_INTEGRATIONS",
    ManageIntegrations = "MANAGE_INTEGRATIONS",
    DeleteIntegrations = "DELETE_INTEGRATIONS",
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
