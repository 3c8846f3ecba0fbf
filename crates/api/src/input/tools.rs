//! What the tools are asked.

use super::run::idempotency;
use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, Members, boolean, dictionary, nullable, text};
use heddle_model::Object;
use heddle_platform::tools::RunAgent;

/// The body of `POST /tools/find-agent`.
pub struct FindAgentInput(pub String);

impl Input for FindAgentInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        Members::of(&body, &at, items)?.required("query", items, text).map(Self)
    }
}

/// The body of `POST /tools/run-agent`.
pub struct RunAgentInput(pub RunAgent);

impl Input for RunAgentInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let body = request.required_body()?;
        let (at, items) = (At::Source("body"), &mut request.items);
        let members = Members::of(&body, &at, items)?;
        let agent = members.required("username_agent_slug", items, text);
        let inputs = members.or("inputs", Object::new, items, dictionary);
        let use_defaults = members.or("use_defaults", || false, items, boolean);
        let schedule_name = members.or("schedule_name", || None, items, nullable(text));
        let cron = members.or("cron", || None, items, nullable(text));
        let time_zone = members.or("timezone", || "UTC".to_owned(), items, text);
        let idempotency = idempotency(request);
        Some(Self(RunAgent {
            agent: agent?,
            inputs: inputs?,
            use_defaults: use_defaults?,
            schedule_name: schedule_name?,
            cron: cron?,
            time_zone: time_zone?,
            idempotency: idempotency?,
        }))
    }
}
