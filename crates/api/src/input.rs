//! What routes read from requests: the members they declare, their defaults, their checks.

mod app;
mod block;
mod connect;
mod credential;
mod graph;
mod key;
mod page;
mod passkey;
mod run;
mod store;
mod tools;

pub use app::{AnyBody, AppInput, AppLogoInput, AppStatusInput, ChangeAppInput, ClientInput, NewAppInput};
pub use block::BlockInput;
pub use connect::{CompleteOAuth, InitiateOAuth, LoginToProvider};
pub use credential::{CredentialOf, NewCredentialInput, OfProvider};
pub use graph::{GraphVersion, NewGraph};
pub use key::{KeyInput, NewKeyInput, PermissionsInput};
pub use page::Paged;
pub use passkey::{NewPasskeyInput, PasskeyInput, PasskeyNameInput, PasskeySignInInput};
pub use run::{FollowRun, RunOfGraph, StartRun};
pub use store::{AgentName, AgentsInput, CreatorName, CreatorsInput};
pub use tools::{FindAgentInput, RunAgentInput};
