//! API keys to be made, named, and given other permissions.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Item, Items, Members, list, nullable, text};
use heddle_model::Scope;
use heddle_platform::NewKey;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The body of `POST /api/api-keys`.
pub struct NewKeyInput(pub NewKey);

impl Input for NewKeyInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let name = members.required("name", items, text);
        let scopes = members.required("permissions", items, list(permission));
        let description = members.or("description", || None, items, nullable(text));
        Some(Self(NewKey { name: name?, scopes: scopes?, description: description? }))
    }
}

/// A key by its id, which may be anything.
pub struct KeyInput(pub String);

impl Input for KeyInput {
    fn read(request: &mut Reading) -> Option<Self> {
        Some(Self(request.path("key_id")))
    }
}

/// A key and what it may do from now on.
pub struct PermissionsInput {
    /// Its id.
    pub key: String,
    /// What it may do.
    pub permissions: Vec<Scope>,
}

impl Input for PermissionsInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let permissions = Members::of(&body, &at, items)?.required("permissions", items, list(permission))?;
        Some(Self { key: request.path("key_id"), permissions })
    }
}

/// `'A', 'B' or 'C'`.
static NAMES: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<_> = Scope::ALL.iter().map(|scope| format!("'{scope}'")).collect();
    let (last, first) = names.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
    format!("{} or {last}", first.join(", "))
});

/// The name of a permission.
pub fn permission(value: &Value, at: &At<'_>, items: &mut Items) -> Option<Scope> {
    let scope = value.as_str().and_then(Scope::parse);
    if scope.is_none() {
        items.push(Item {
            r#type: "enum",
            loc: at.steps(),
            msg: format!("Input should be {}", *NAMES).into(),
            input: value.clone(),
            ctx: Some(json!({ "expected": *NAMES })),
        });
    }
    scope
}
