//! Text templates as Jinja2 renders them.
//!
//! minijinja parses and runs them; what it prints, which filters, methods and globals there are, and what its
//! failures say is set here to what Python's Jinja2 does in its sandbox. A render is bounded in steps and bytes.
//! Compiled templates are cached, since chains of small templates are what agents do most.

mod error;
mod filters;
mod methods;
mod operators;
mod plain;
mod stack;
mod text;
mod view;

pub use error::Error;

use crate::cache::Cache;
use heddle_model::{Object, Value as Json};
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use plain::Plain;
use std::borrow::Cow;
use std::io;
use std::sync::OnceLock;

/// What one render may use: a unit is one step, or 64 bytes made or written.
const FUEL: u64 = 6_000_000;
/// The longest text that a render writes.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Failures of longer templates are not traced to a name, which takes a look at each part of an expression.
const EXPLAINED: usize = 16 * 1024;
/// Templates up to this many bytes, without loops and repetitions, are rendered in no time.
const QUICK: usize = 2_000;
/// Macros and blocks within each other.
const RECURSION: usize = 100;
/// Elements of a range, as in the sandbox.
const MAX_RANGE: i64 = 10_000;
/// The name of the one template of an environment.
const NAME: &str = "template";

/// Renders `source` with `values` as variables; `escape` makes inserted text safe for HTML.
pub fn render(source: &str, values: &Object, escape: bool) -> Result<String, Error> {
    if !has_markup(source) {
        let source = normalized(source);
        return Ok(source.strip_suffix('\n').unwrap_or(&source).to_owned());
    }
    stack::with_room(source, || {
        static CACHES: OnceLock<[Cache<Compiled>; 2]> = OnceLock::new();
        let caches = CACHES.get_or_init(|| [Cache::new(), Cache::new()]);
        let compiled = caches[usize::from(escape)].get(source, || Compiled::new(source, escape))?;
        compiled.render(values)
    })
}

/// Whether rendering the pin `format` may take long: only loops and repetitions do much with little input.
pub(crate) fn may_be_slow(input: &Object) -> bool {
    let Some(source) = input.get("format").and_then(Json::as_str) else { return false };
    has_markup(source) && (source.len() > QUICK || source.contains("{%") || source.contains('*'))
}

fn has_markup(source: &str) -> bool {
    let bytes = source.as_bytes();
    bytes.windows(2).any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// Jinja2 reads every kind of line end as one.
fn normalized(source: &str) -> Cow<'_, str> {
    if source.contains('\r') {
        Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(source)
    }
}

/// A template with the environment it runs in.
struct Compiled {
    environment: Environment<'static>,
    /// Bytes of its source.
    length: usize,
    /// What it is when nothing has to be evaluated or escaped.
    plain: Option<Plain>,
}

impl Compiled {
    fn new(source: &str, escape: bool) -> Result<Self, Error> {
        static BASES: OnceLock<[Environment<'static>; 2]> = OnceLock::new();
        let bases = BASES.get_or_init(|| [environment(false), environment(true)]);
        let mut environment = bases[usize::from(escape)].clone();
        let plain = if escape { None } else { Plain::of(&normalized(source)) };
        let source = operators::rewritten(&normalized(source)).into_owned();
        let length = source.len();
        environment.add_template_owned(NAME, source).map_err(|error| Error::of_source(&error))?;
        Ok(Self { environment, length, plain })
    }

    fn render(&self, values: &Object) -> Result<String, Error> {
        let joined = self.plain.as_ref().and_then(|plain| plain.render(values));
        joined.map_or_else(|| self.run(values), Ok)
    }

    fn run(&self, values: &Object) -> Result<String, Error> {
        let context = Value::from_pairs(values.iter().map(|(name, json)| (name.as_str(), value(json))));
        let template = self.environment.get_template(NAME).map_err(|error| Error::of(&error))?;
        let mut out = Bounded::default();
        template.render_captured_to(context.clone(), &mut out).map_err(|error| self.explained(&error, &context))?;
        Ok(String::from_utf8(out.bytes).expect("templates write whole texts"))
    }

    /// The failure, naming the undefined expression if there is one. Keeping track of names slows rendering down,
    /// so it is done only now, by rendering once more.
    #[cold]
    fn explained(&self, error: &minijinja::Error, context: &Value) -> Error {
        let is_long = self.length > EXPLAINED;
        if is_long || matches!(error.kind(), ErrorKind::OutOfFuel | ErrorKind::WriteFailure) {
            return Error::of(error);
        }
        let mut environment = self.environment.clone();
        environment.set_debug(true);
        let again = environment.get_template(NAME).and_then(|template| template.render(context.clone()));
        let detail = again.as_ref().err().and_then(minijinja::Error::detail).unwrap_or_default();
        error::undefined(detail)
            .map(|expression| error::names(&expression, |prefix| environment.compile_expression(prefix)?.eval(context)))
            .map_or_else(|| Error::of(error), Error::Template)
    }
}

/// What a render has written, up to [`MAX_BYTES`]; the steps alone would allow for more.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
}

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if part.len() > MAX_BYTES - self.bytes.len() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn environment(escape: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(move |_| if escape { AutoEscape::Html } else { AutoEscape::None });
    environment.set_formatter(|out, state, value| {
        text::write(value, matches!(state.auto_escape(), AutoEscape::Html), out).map_err(minijinja::Error::from)
    });
    environment.set_unknown_method_callback(methods::call);
    for global in ["dict", "debug", "namespace"] {
        environment.remove_global(global);
    }
    environment.add_function("range", range);
    filters::install(&mut environment);
    operators::install(&mut environment);
    environment
}

fn range(start: i64, stop: Option<i64>, step: Option<i64>) -> Result<Value, minijinja::Error> {
    let (start, stop) = stop.map_or((0, start), |stop| (start, stop));
    let step = step.unwrap_or(1);
    let wrong = |text: &'static str| minijinja::Error::new(ErrorKind::InvalidOperation, text);
    if step == 0 {
        return Err(wrong("range() arg 3 must not be zero"));
    }
    let length = if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let length = (length.max(0) + i128::from(step.unsigned_abs()) - 1) / i128::from(step.unsigned_abs());
    if length > i128::from(MAX_RANGE) {
        return Err(wrong(error::RANGE_TOO_BIG));
    }
    let numbers = (0..length as i64).map(|index| Value::from(start + index * step)).collect();
    let step = if step == 1 { String::new() } else { format!(", {step}") };
    Ok(view::View::named(format!("range({start}, {stop}{step})"), numbers))
}

/// A JSON value as templates see it.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (_, Some(whole)) => Value::from(whole),
            _ => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Json::Object(entries) => Value::from_pairs(entries.iter().map(|(key, entry)| (key.as_str(), value(entry)))),
    }
}
