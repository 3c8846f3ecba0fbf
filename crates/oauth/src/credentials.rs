//! How an application says who it is, and whether that is true (`auth.md` 7.1 and 12.3; RFC 6749, 2.3).

use crate::answer::Refusal;
use crate::client::Proof;
use crate::{Client, ErrorCode, Kept, Plain};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use heddle_model::Time;
use percent_encoding::percent_decode_str;

/// Padding or none: not every client sends it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an application presents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Who it says it is.
    pub client_id: String,
    secret: Option<Plain>,
    used_basic: bool,
}

/// The `Authorization` header, when it is of the scheme that is for this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Basic {
    id: String,
    secret: Plain,
}

impl Basic {
    /// Reads the `Authorization` headers. Other schemes say nothing here. Both halves are form-encoded (RFC 6749,
    /// 2.3.1); clients that do not encode have nothing in them that would change.
    pub fn read<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, Refusal> {
        let mut values = headers.into_iter().filter_map(|header| {
            let header = header.trim_ascii();
            let (scheme, rest) = header.split_at_checked(5)?;
            let is_basic = scheme.eq_ignore_ascii_case(b"basic") && rest.first().is_none_or(|byte| *byte == b' ');
            is_basic.then(|| rest.trim_ascii())
        });
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(twice());
        }
        let unreadable = || Refusal::client("Invalid client_id", true);
        let bytes = BASE64.decode(value).map_err(|_| unreadable())?;
        let text = Plain::new(String::from_utf8(bytes).map_err(|_| unreadable())?);
        let (id, secret) = text.expose().split_once(':').ok_or_else(unreadable)?;
        let (id, secret) = (decoded(id).ok_or_else(unreadable)?, decoded(secret).ok_or_else(unreadable)?);
        Ok(Some(Self { id, secret: Plain::new(secret) }))
    }
}

fn decoded(half: &str) -> Option<String> {
    let spaced = half.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
}

fn twice() -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, "Client credentials came in more than one place")
}

impl Credentials {
    /// Puts together what header and body say; `None` in neither.
    pub fn gather(basic: Option<Basic>, id: Option<String>, secret: Option<String>) -> Result<Option<Self>, Refusal> {
        match (basic, id, secret) {
            (Some(_), _, Some(_)) => Err(twice()),
            (Some(basic), Some(id), None) if id != basic.id => Err(twice()),
            (Some(Basic { id, secret }), _, None) => {
                // A name alone (RFC 6749, 2.3.1 lets an empty secret be left out).
                let secret = (!secret.expose().is_empty()).then_some(secret);
                Ok(Some(Self { client_id: id, secret, used_basic: true }))
            }
            (None, Some(client_id), secret) => {
                let secret = secret.map(Plain::new);
                Ok(Some(Self { client_id, secret, used_basic: false }))
            }
            (None, None, _) => Ok(None),
        }
    }

    /// What to say when there are none.
    pub(crate) fn absent() -> Refusal {
        Refusal::client("Invalid client_id", false)
    }

    /// Whether the application found under the name is the one that asks. The same work is done for no application as
    /// for one; an imported row may take [long](Kept::is_slow), and should then be kept by its digest if
    /// [`replaces`](Self::replaces) says so.
    pub fn check<'a>(&self, client: Option<&'a Client>, now: Time) -> Result<&'a Client, Refusal> {
        let refused = |detail| Refusal::client(detail, self.used_basic);
        let presented = self.secret.as_ref().map(Plain::expose);
        let Some(client) = client.filter(|client| client.client_id == self.client_id) else {
            let _ = Kept::nobody().is(presented.unwrap_or_default());
            return Err(refused("Invalid client_id"));
        };
        if !client.is_active {
            return Err(refused("Application is not active"));
        }
        let is_right = match (&client.proof, presented) {
            (Proof::Public, None) => true,
            (Proof::Public, Some(_)) | (Proof::Secret { .. }, None) => false,
            (proof @ Proof::Secret { .. }, Some(secret)) => {
                proof.kept(now).fold(false, |found, kept| kept.is(secret) | found)
            }
        };
        if is_right { Ok(client) } else { Err(refused("Invalid client_secret")) }
    }

    /// The same, for what a public client has no business with.
    pub fn check_confidential<'a>(&self, client: Option<&'a Client>, now: Time) -> Result<&'a Client, Refusal> {
        let client = self.check(client, now)?;
        if client.is_confidential() {
            Ok(client)
        } else {
            Err(Refusal::client("Invalid client_secret", self.used_basic))
        }
    }

    /// After a good check: what to keep in place of an imported row's slow hash.
    pub fn replaces(&self, client: &Client) -> Option<Kept> {
        match (&client.proof, &self.secret) {
            (Proof::Secret { current, .. }, Some(secret)) if current.is_slow() && current.is(secret.expose()) => {
                Some(Kept::of(secret))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
