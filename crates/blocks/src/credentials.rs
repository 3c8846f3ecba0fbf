//! How blocks come by the credentials that their pins name.
//!
//! A port: where credentials are kept, whose they are and who notes their use is somebody else's. A block has the
//! opened credential only while it works, and sends it nowhere but to the servers of its provider.

use crate::block::refuse;
use crate::registry::Ports;
use async_trait::async_trait;
use heddle_engine::ports::{Context, Failure};
use heddle_model::Value;

pub use heddle_connectors::{Credential, Kind, Material, Reference};

/// The credentials of accounts.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Opens the credential that a pin names for the account that the execution is for, and notes its use. Somebody
    /// else's is as unknown as one that never was.
    async fn open(&self, reference: &Reference, cx: &Context) -> Result<Credential, Failure>;
}

impl Ports {
    /// Opens the credential that stands in a credentials pin.
    pub(crate) async fn credential(&self, pin: &Value, cx: &Context) -> Result<Credential, Failure> {
        let expected = || refuse("Invalid credentials: an object with id, provider and type is expected");
        let reference = Reference::read(pin).ok_or_else(expected)?;
        let missing = || refuse("this server keeps no credentials");
        let credentials = self.credentials.as_ref().ok_or_else(missing)?;
        credentials.open(&reference, cx).await
    }
}
