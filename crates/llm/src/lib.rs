//! One request, answer and tool shape over the providers of language models.
//!
//! A [`Server`] is one provider's interface at one address; it is asked with an [`Ask`] and gives an [`Answer`]. What
//! differs between providers is a dialect and a line of `data/providers.json`; what differs between models is a line of the
//! packed model table. No provider's name stands in the code, no prompt either, and nothing here knows blocks. Everything
//! goes through the one client of `outbound`.

mod answer;
mod ask;
mod compress;
mod dialect;
mod error;
mod fit;
mod model;
mod provider;
mod server;
mod tokens;
mod turn;

pub use answer::{Answer, ToolCall};
pub use ask::{Ask, Tool};
pub use compress::{OBJECTIVE, compress};
pub use error::Error;
pub use fit::{Fitted, fit};
pub use model::{Model, default_model, find};
pub use provider::{Dialect, Provider, any_model_providers, provider};
pub use server::{OVERALL, Server};
pub use tokens::{count, estimate};
pub use turn::{Form, answer_to};
