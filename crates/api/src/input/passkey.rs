//! Passkeys to be made, used and named. What a browser answers is read by whoever judges it.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Members, dictionary, text};
use serde_json::Value;

/// The body of `POST /api/passkeys`.
pub struct NewPasskeyInput {
    /// What its owner calls it.
    pub name: String,
    /// The browser's answer.
    pub credential: Value,
}

impl Input for NewPasskeyInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let name = members.or("name", String::new, items, text);
        let credential = members.required("credential", items, dictionary);
        Some(Self { name: name?, credential: credential?.into() })
    }
}

/// The body of `POST /api/login/passkey`.
pub struct PasskeySignInInput {
    /// The browser's answer.
    pub credential: Value,
    /// Where the person wanted to go.
    pub next: String,
}

impl Input for PasskeySignInInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let credential = members.required("credential", items, dictionary);
        let next = members.or("next", String::new, items, text);
        Some(Self { credential: credential?.into(), next: next? })
    }
}

/// A passkey by its record's id, which may be anything.
pub struct PasskeyInput(pub String);

impl Input for PasskeyInput {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(request.path("passkey_id")))
    }
}

/// The body of `PATCH /api/passkeys/{passkey_id}`.
pub struct PasskeyNameInput {
    /// Which.
    pub passkey: String,
    /// What its owner calls it.
    pub name: String,
}

impl Input for PasskeyNameInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let name = Members::of(&body, &at, items)?.required("name", items, text)?;
        Some(Self { passkey: request.path("passkey_id"), name })
    }
}
