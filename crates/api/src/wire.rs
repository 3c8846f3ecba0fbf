//! The JSON shapes of v1 answers.
//!
//! They borrow from what the use cases return; the same types make the OpenAPI document.

mod block;
mod connect;
mod credential;
mod errors;
mod event;
mod graph;
mod key;
mod lists;
mod passkey;
mod run;
mod store;
pub mod tools;
mod user;

pub use block::{Block, BlockOutputs};
pub use connect::{
    DetailList, NotConfigured, OAuthCompleteRequest, OAuthCompleteResponse, OAuthInitiateRequest, OAuthInitiateResponse,
};
pub use credential::{
    CreateCredentialRequest, CreateCredentialResponse, CredentialsMetaResponse, DeleteCredentialResponse, ProviderInfo,
};
pub use errors::{Detail, Failure, HTTPValidationError, Unprocessable};
pub use event::event;
pub use graph::{GraphBody, GraphModel, StartBody};
pub use key::{ApiKeyRecord, CreatedApiKey};
pub use lists::{Executions, GraphList};
pub use passkey::PasskeyRecord;
pub use run::{GraphExecutionResult, RunStarted, RunStopped, callback_body};
pub use store::{
    Chosen, CreatorDetails, CreatorsResponse, MaybeAgentsOrder, MaybeCreatorsOrder, MaybeText, Media, PageNumber,
    PageSize, StoreAgentDetails, StoreAgentsResponse, StoreAgentsSortOptions, StoreCreatorsSortOptions,
};
pub use tools::{FindAgentRequest, RunAgentRequest};
pub use user::UserInfoResponse;

/// Serialises `(name, values)` pairs as an object, in their order.
fn as_object<S: serde::Serializer, V: serde::Serialize>(
    pairs: &[(String, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
