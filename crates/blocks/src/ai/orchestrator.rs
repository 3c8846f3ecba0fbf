//! Lets a model choose among linked nodes and agents, its tools.
//!
//! Either it is asked once and what it wants goes out over the links, or it is asked again and again while the tools run as
//! executions of this run. Each answer is noted before the next question, and tools are asked for in the order of the
//! answers, so a crash neither pays for an answer again nor runs a tool twice.

mod agent;
mod history;
mod single;
mod tools;

use super::talk::{Question, Talk};
use super::{filled, structured, tokens};
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_model::{Object, Value};
use tools::{Definition, definitions};

/// Its calls take turns one by one: while it waits for tools, others may call the same provider, tools among them.
pub(crate) const BLOCK: Block = Block {
    id: heddle_model::block::SMART_DECISION_MAKER,
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider: |_| None, work },
};

const EXTENDED: &str = "the execution mode extended_thinking is not available on this server; choose built_in";

/// What both ways need.
struct Task {
    /// What the model is offered.
    tools: Vec<Definition>,
    /// The conversation up to the question.
    messages: Vec<Value>,
    parallel: bool,
    compress: bool,
    max_tokens: Option<u64>,
    retry: i64,
}

impl Task {
    fn question<'q>(&self, messages: Vec<Value>, offered: &'q [heddle_llm::Tool], again: bool) -> Question<'q> {
        Question {
            tools: offered,
            max_tokens: self.max_tokens,
            compress: self.compress,
            parallel: Some(self.parallel).filter(|_| !offered.is_empty()),
            again,
            ..Question::new(messages)
        }
    }

    fn offered(&self) -> Vec<heddle_llm::Tool> {
        self.tools.iter().map(Definition::offered).collect()
    }
}

fn work<'a>(mut input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(async move {
        if input.text("execution_mode") == "extended_thinking" {
            return Err(refuse(EXTENDED));
        }
        let mut talk = Talk::open(&mut input, cx, ports, out).await?.taking_turns();
        let ended = run(input, &mut talk).await;
        talk.close(ended).await
    })
}

async fn run(mut input: Input, talk: &mut Talk<'_>) -> Ended {
    let tools = definitions(&talk.out.tools());
    if tools.is_empty() {
        return Err(refuse("no tools: link the tools pin to at least one node"));
    }
    let listed: Vec<Value> = tools.iter().map(Definition::listed).collect();
    talk.out.emit("tool_functions", heddle_model::python::json(&listed.into())).await?;

    let values = input.object("prompt_values");
    let task = Task {
        tools,
        messages: Vec::new(),
        parallel: input.flag("multiple_tool_calls", false),
        compress: input.flag("conversation_compaction", true),
        max_tokens: tokens(&input, "max_tokens"),
        retry: input.integer("retry").unwrap_or(structured::RETRY),
    };
    let begun = history::History {
        messages: input.list("conversation_history"),
        output: input.given("last_tool_output"),
        system: filled(input.text("sys_prompt"), &values)?,
        prompt: filled(input.text("prompt"), &values)?,
    };
    let (messages, is_ready) = begun.messages(talk.speaks_responses())?;
    if !is_ready {
        // Other calls of the same answer wait for their outputs.
        return talk.out.emit("conversations", messages).await;
    }
    let task = Task { messages, ..task };
    match input.integer("agent_mode_max_iterations").unwrap_or(0) {
        0 => single::run(task, talk).await,
        most => agent::run(task, u64::try_from(most).ok(), talk).await,
    }
}

/// The arguments of a call: one member for each parameter that the model has filled. The error is for the model.
fn arguments<'t>(call: &heddle_llm::ToolCall, tools: &'t [Definition]) -> Result<(&'t Definition, Object), String> {
    let tool = match tools {
        [only] => Some(only),
        several => several.iter().find(|tool| tool.name == call.name),
    };
    let tool = tool.ok_or_else(|| format!("There is no tool {}", call.name))?;
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let arguments: Object = serde_json::from_str(text)
        .map_err(|error| format!("The arguments of {} are not a JSON object: {error}", tool.name))?;
    let unknown: Vec<_> =
        arguments.keys().filter(|name| !tool.fields.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(format!("{} has no parameter {}", tool.name, unknown.join(", ")));
    }
    let missing: Vec<_> =
        tool.required.iter().filter(|name| !arguments.contains_key(*name)).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(format!("{} lacks the parameter {}", tool.name, missing.join(", ")));
    }
    Ok((tool, arguments))
}
