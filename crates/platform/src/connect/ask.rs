//! Talking to a provider: its token endpoint, its revocation endpoint, and where it says whose account it is.
//!
//! Nothing here follows a redirect: the secrets are for the address they were sent to.

use super::identity::name;
use super::terms::Terms;
use super::tokens::{self, Failed, Granted};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heddle_connectors::{ClientProof, RevocationBody, RevocationMethod, TokenPlace};
use heddle_outbound::{Client, Limits, Method, Request, Response};
use heddle_vault::Secret;
use serde_json::json;
use std::time::Duration;
use url::form_urlencoded::{Serializer, byte_serialize};

/// An answer of a few kilobytes, from a server that is made for it.
const LIMITS: Limits = Limits { body: 256 << 10, read: Duration::from_secs(20), whole: Duration::from_secs(30) };

/// Revoking is a courtesy.
const REVOKING: Limits = Limits { body: 64 << 10, read: Duration::from_secs(5), whole: Duration::from_secs(10) };

const FORM: &str = "application/x-www-form-urlencoded";

/// Tokens for a code.
pub(super) async fn redeem(
    client: &Client,
    terms: &Terms,
    code: &str,
    callback_url: &str,
    verifier: &str,
) -> Result<Granted, Failed> {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", callback_url)];
    if terms.oauth.pkce {
        form.push(("code_verifier", verifier));
    }
    ask_for_tokens(client, terms, form).await
}

/// New tokens for a refresh token.
pub(super) async fn refresh(client: &Client, terms: &Terms, refresh_token: &Secret<String>) -> Result<Granted, Failed> {
    let form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose().as_str())];
    ask_for_tokens(client, terms, form).await
}

async fn ask_for_tokens(client: &Client, terms: &Terms, form: Vec<(&str, &str)>) -> Result<Granted, Failed> {
    let away = |error: heddle_outbound::Error| Failed::Away(error.to_string());
    let request = Request::post(terms.oauth.token.as_str());
    let request = proven(request, terms, terms.oauth.client, form).map_err(away)?.limits(LIMITS);
    let answer = client.send(&request).await.map_err(away)?;
    tokens::read(answer.status.as_u16(), &answer.content_type(), &answer.body)
}

/// A form with the proof of who sends it.
fn proven(
    request: Request,
    terms: &Terms,
    proof: ClientProof,
    form: Vec<(&str, &str)>,
) -> Result<Request, heddle_outbound::Error> {
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    let mut request = request.redirects(0).header("accept", "application/json")?.header("content-type", FORM)?;
    match proof {
        ClientProof::Basic => request = request.secret_header("authorization", &basic(terms))?,
        ClientProof::Post => {
            body.append_pair("client_id", &terms.client_id).append_pair("client_secret", terms.secret());
        }
        ClientProof::None => {
            body.append_pair("client_id", &terms.client_id);
        }
    }
    Ok(request.body(body.finish()))
}

/// Both halves encoded as in a form (RFC 6749, 2.3.1).
fn basic(terms: &Terms) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(&terms.client_id), encoded(terms.secret()))))
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Ends tokens at the provider; false when it did not say that it did.
pub(super) async fn revoke(
    client: &Client,
    terms: &Terms,
    access_token: &Secret<String>,
    refresh_token: Option<&Secret<String>>,
) -> bool {
    // With the refresh token everything goes that came of it.
    let (token, hint) = match refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (access_token, "access_token"),
    };
    let Some(Ok(request)) = revoking(terms, access_token, token, hint) else { return false };
    client.send(&request.limits(REVOKING)).await.is_ok_and(|answer| answer.status.is_success())
}

/// What a provider wants to hear to end a token; `None` where it offers no way.
fn revoking(
    terms: &Terms,
    access_token: &Secret<String>,
    token: &Secret<String>,
    hint: &str,
) -> Option<Result<Request, heddle_outbound::Error>> {
    let way = terms.oauth.revoke.as_ref()?;
    // A name in the URL was encoded when its file was read.
    let url =
        way.url.as_str().replace("%7Bclient_id%7D", "{client_id}").replace("{client_id}", &encoded(&terms.client_id));
    let method = match way.method {
        RevocationMethod::Post => Method::POST,
        RevocationMethod::Delete => Method::DELETE,
    };
    let proof = way.client.unwrap_or(terms.oauth.client);
    let request = Request::new(method, url);
    Some(match (way.token, way.body) {
        (TokenPlace::Bearer, _) => {
            request.redirects(0).secret_header("authorization", &format!("Bearer {}", access_token.expose()))
        }
        (TokenPlace::Body, RevocationBody::Form) => {
            let named = way.parameter.as_str();
            proven(request, terms, proof, vec![(named, token.expose().as_str()), ("token_type_hint", hint)])
        }
        (TokenPlace::Body, RevocationBody::Json) => proven(request, terms, proof, vec![])
            .and_then(|request| request.header("content-type", "application/json"))
            .map(|request| request.json(&json!({ (way.parameter.as_str()): access_token.expose() }))),
    })
}

/// Whose account it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Told {
    pub name: Option<String>,
    /// The provider's own id for the person (OpenID Connect Core, 5.3.2).
    pub subject: Option<String>,
    /// The access token opened nothing.
    pub is_refused: bool,
}

/// Whose account it is, where the provider tells.
pub(super) async fn person(client: &Client, terms: &Terms, granted: &Granted) -> Option<Told> {
    let account = terms.oauth.account.as_ref()?;
    let Some(url) = &account.url else {
        return Some(Told { name: name(&granted.body.0, &account.pointer), subject: None, is_refused: false });
    };
    let bearer = format!("Bearer {}", granted.access_token.expose());
    let request = Request::get(url.as_str()).redirects(0).limits(LIMITS).header("accept", "application/json").ok()?;
    let answer = client.send(&request.secret_header("authorization", &bearer).ok()?).await.ok()?;
    if answer.status.as_u16() == 401 {
        return Some(Told { name: None, subject: None, is_refused: true });
    }
    let answer = told(&answer)?;
    let subject = answer["sub"].as_str().map(str::to_owned);
    Some(Told { name: name(&answer, &account.pointer), subject, is_refused: false })
}

fn told(answer: &Response) -> Option<serde_json::Value> {
    answer.status.is_success().then(|| answer.json().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::terms;

    #[test]
    fn the_client_proves_itself_as_the_provider_wants_it() {
        let secret = |id: &str, secret: &str| Terms {
            client_id: id.to_owned(),
            client_secret: Some(secret.to_owned().into()),
            ..terms("")
        };
        assert_eq!(basic(&secret("us", "s:c r+t")), format!("Basic {}", STANDARD.encode("us:s%3Ac+r%2Bt")));
        assert_eq!(basic(&secret("a-b_c.d", "")), format!("Basic {}", STANDARD.encode("a-b_c.d:")));
    }
}
