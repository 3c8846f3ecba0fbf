//! Credentials to be kept, and naming one.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Item, Items, Members, dictionary, integer, nullable, text};
use heddle_model::Time;
use heddle_platform::integrations::Secret;
use heddle_platform::{NewCredential, NewSecret};
use serde_json::{Value, json};

/// A provider by its name, which may be anything.
pub struct OfProvider(pub String);

impl Input for OfProvider {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(request.path("provider")))
    }
}

/// A credential below its provider.
pub struct CredentialOf {
    /// The provider.
    pub provider: String,
    /// The credential's id, which may be anything.
    pub id: String,
}

impl Input for CredentialOf {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self { provider: request.path("provider"), id: request.path("cred_id") })
    }
}

/// The body of `POST /integrations/{provider}/credentials`: a union whose tag is `type`.
pub struct NewCredentialInput(pub NewCredential);

const TAGS: &str = "'api_key', 'user_password', 'host_scoped'";

impl Input for NewCredentialInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let provider = request.path("provider");
        let body = request.required_body()?;
        let (whole, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &whole, items)?;
        let tag = tag(&body, &whole, items)?;
        // A problem of a member is told as one of the union's arm.
        let at = At::Member(&whole, tag);
        let members = members.at(&at);
        let (secret, expires_at, base_url) = match tag {
            "api_key" => {
                let key = members.required("api_key", items, secret);
                let title = members.required("title", items, text);
                let expires_at = members.or("expires_at", || None, items, nullable(integer));
                let base_url = members.or("base_url", || None, items, nullable(text));
                ((NewSecret::ApiKey { key: key? }, title?), expires_at?, base_url?)
            }
            "user_password" => {
                let username = members.required("username", items, secret);
                let password = members.required("password", items, secret);
                let title = members.required("title", items, text);
                ((NewSecret::UserPassword { username: username?, password: password? }, title?), None, None)
            }
            _ => {
                let host = members.required("host", items, text);
                let headers = members.required("headers", items, headers);
                let title = members.required("title", items, text);
                ((NewSecret::HostScoped { host: host?, headers: headers? }, title?), None, None)
            }
        };
        let (secret, title) = secret;
        let expires_at = expires_at.map(|seconds| Time(seconds.saturating_mul(1_000_000)));
        Some(Self(NewCredential { provider, title: Some(title), secret, base_url, expires_at }))
    }
}

/// The arm of the union that is meant.
fn tag(body: &Value, at: &At<'_>, items: &mut Items) -> Option<&'static str> {
    let mut wrong = |r#type, msg: String, ctx| {
        items.push(Item { r#type, loc: at.steps(), msg: msg.into(), input: body.clone(), ctx: Some(ctx) });
    };
    let Some(given) = body.get("type") else {
        let msg = "Unable to extract tag using discriminator 'type'";
        wrong("union_tag_not_found", msg.to_owned(), json!({ "discriminator": "'type'" }));
        return None;
    };
    let tags = ["api_key", "user_password", "host_scoped"];
    if let Some(tag) = tags.into_iter().find(|tag| given == tag) {
        return Some(tag);
    }
    let given = heddle_model::python::text(given);
    let msg = format!("Input tag '{given}' found using 'type' does not match any of the expected tags: {TAGS}");
    wrong("union_tag_invalid", msg, json!({ "discriminator": "'type'", "tag": given, "expected_tags": TAGS }));
    None
}

fn secret(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Secret<String>> {
    text(value, at, items).map(Secret::new)
}

fn headers(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Vec<(String, Secret<String>)>> {
    let mut all = Vec::new();
    let mut is_good = true;
    for (name, value) in dictionary(value, at, items)? {
        match secret(&value, &At::Member(at, &name), items) {
            Some(value) => all.push((name, value)),
            None => is_good = false,
        }
    }
    is_good.then_some(all)
}
