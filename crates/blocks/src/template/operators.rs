//! The operators that Python means differently: `<`, `<=`, `>`, `>=`, `%`, `~`, and the `in` of a loop.
//!
//! minijinja orders values of any kinds, so that a text compared with a number would silently take one way of an
//! `if` where Python fails; its `%` does not format text, its `~` writes numbers as Rust does, and its loops take
//! null for an empty list. None of this can be set, so before a template is compiled these operators are written as
//! calls of filters that do what Python does: `a < b` becomes `(a)|py_lt(b)`.
//! A template that this cannot follow is left as it is, for the compiler to complain about.

mod filters;
mod tokens;

pub(super) use filters::install;

use std::borrow::Cow;
use std::ops::Range;
use tokens::{Kind, Token, tokens};

/// The longest operand of a chain that is written twice.
const LONGEST_REPEATED: usize = 200;

/// The template with those operators as filters.
pub(super) fn rewritten(source: &str) -> Cow<'_, str> {
    rewrite(source).map_or(Cow::Borrowed(source), Cow::Owned)
}

/// `None` when there is nothing to change.
fn rewrite(source: &str) -> Option<String> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|place| place + at) {
        let block = match source.as_bytes().get(start + 1) {
            Some(b'{') => false,
            Some(b'%') => true,
            Some(b'#') => {
                at = start + 2 + source[start + 2..].find("#}")? + 2;
                continue;
            }
            _ => {
                at = start + 1;
                continue;
            }
        };
        let body = start + 2 + usize::from(source[start + 2..].starts_with(['-', '+']));
        let (tokens, end) = tokens(source, body, block)?;
        at = end;
        if block && tokens.first().is_some_and(|token| token.text(source) == "raw") {
            at = end + source[end..].find("endraw")?;
            continue;
        }
        let looped = if block { iterable(source, &tokens) } else { None };
        if let Some(range) = looped {
            let from = tokens[range.start].start;
            out.push_str(&source[kept..from]);
            let (items, rest) = (&tokens[range.clone()], &tokens[range.end..]);
            out.extend(["(", &expression(source, items), ")|py_iter ", &expression(source, rest)]);
            kept = tokens.last()?.end;
        } else if tokens.iter().any(|token| matches!(token.kind, Kind::Order | Kind::Modulo | Kind::Join)) {
            let first = usize::from(block);
            let from = tokens.get(first)?.start;
            out.push_str(&source[kept..from]);
            out.push_str(&expression(source, &tokens[first..]));
            kept = tokens.last()?.end;
        }
    }
    (kept > 0).then(|| out + &source[kept..])
}

/// Where a `for` has what it goes through: after its `in`, up to a condition or `recursive`.
fn iterable(source: &str, tokens: &[Token]) -> Option<Range<usize>> {
    if tokens.first()?.text(source) != "for" {
        return None;
    }
    let word = |token: &Token, words: &[&str]| token.kind == Kind::Separator && words.contains(&token.text(source));
    let start = tokens.iter().position(|token| word(token, &["in"]))? + 1;
    let mut depth = 0usize;
    let ends = |token: &Token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word(token, &["if", "recursive"])
    };
    let end = tokens[start..].iter().position(ends).map_or(tokens.len(), |length| start + length);
    (start < end).then_some(start..end)
}

/// Tokens between separators, each written by its own rules; what is between tokens becomes one blank.
fn expression(source: &str, tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let length = operand(rest, |kind| kind == Kind::Separator);
        if length > 0 {
            out.push_str(&ordered(source, &rest[..length]));
            out.push(' ');
        }
        if let Some(separator) = rest.get(length) {
            out.push_str(separator.text(source));
            out.push(' ');
        }
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    out
}

/// How many tokens there are up to one that `ends`, brackets taken as a whole.
fn operand(tokens: &[Token], ends: impl Fn(Kind) -> bool) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            kind if depth == 0 && ends(kind) => return index,
            _ => {}
        }
    }
    tokens.len()
}

/// A comparison: a pair becomes a call, a chain the conjunction of its pairs.
fn ordered(source: &str, tokens: &[Token]) -> String {
    let (operands, operators) = split(tokens, |kind| matches!(kind, Kind::Order | Kind::Equal));
    let names: Vec<_> = operands.iter().map(|operand| name(source, operand)).collect();
    let operands: Vec<_> = operands.iter().map(|operand| sum(source, operand)).collect();
    let pair = |index: usize| {
        let (left, right) = (&operands[index], &operands[index + 1]);
        let filter = match operators[index].text(source) {
            "<" => "py_lt",
            "<=" => "py_le",
            ">" => "py_gt",
            ">=" => "py_ge",
            equal => return format!("({left}) {equal} ({right})"),
        };
        format!("({left})|{filter}({right}, '{}', '{}')", names[index], names[index + 1])
    };
    let inner = operands.get(1..operators.len()).unwrap_or_default();
    match operators.len() {
        0 => operands.concat(),
        1 => pair(0),
        // An operand in the middle is written twice; chains within chains must not grow without end.
        _ if inner.iter().any(|operand| operand.len() > LONGEST_REPEATED) => plain(source, &operators, &operands),
        count => format!("({})", (0..count).map(pair).collect::<Vec<_>>().join(" and ")),
    }
}

/// The operand's text where it is a name or a path, for a failure to tell what is undefined.
fn name<'a>(source: &'a str, tokens: &[Token]) -> &'a str {
    match tokens {
        [first, .., last] | [first @ last] => {
            let text = &source[first.start..last.end];
            let path = text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            if path { text } else { "" }
        }
        [] => "",
    }
}

/// Parts added to or taken from each other.
fn sum(source: &str, tokens: &[Token]) -> String {
    let (operands, operators) = split(tokens, |kind| kind == Kind::Sum);
    let operands: Vec<_> = operands.iter().map(|operand| join(source, operand)).collect();
    plain(source, &operators, &operands)
}

/// Products joined as text.
fn join(source: &str, tokens: &[Token]) -> String {
    let (operands, operators) = split(tokens, |kind| kind == Kind::Join);
    if operators.is_empty() {
        return product(source, tokens);
    }
    let operands: Vec<_> = operands
        .iter()
        .map(|operand| match operand {
            [] => String::new(),
            [text] if text.text(source).starts_with(['"', '\'']) => text.text(source).to_owned(),
            _ => format!("({})|string", product(source, operand)),
        })
        .collect();
    plain(source, &operators, &operands)
}

/// Factors; `a * b % c` takes the remainder of the product.
fn product(source: &str, tokens: &[Token]) -> String {
    let (operands, operators) = split(tokens, |kind| matches!(kind, Kind::Product | Kind::Modulo));
    let mut operands = operands.iter().map(|operand| factor(source, operand));
    let first = operands.next().unwrap_or_default();
    operands.zip(operators).fold(first, |left, (right, operator)| match operator.kind {
        Kind::Modulo => format!("({left})|py_mod({right})"),
        _ => format!("{left} {} {right}", operator.text(source)),
    })
}

/// Everything that binds tighter; only what is within brackets can hold more operators.
fn factor(source: &str, tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        out.push_str(token.text(source));
        rest = after;
        if token.kind == Kind::Open {
            let inside = within(rest);
            out.push_str(&expression(source, &rest[..inside]));
            rest = &rest[inside..];
        } else if let Some(next) = rest.first() {
            // Blanks matter between words only, but never hurt.
            if next.start > token.end {
                out.push(' ');
            }
        }
    }
    out
}

/// How many tokens there are up to the bracket that closes the one just opened.
fn within(tokens: &[Token]) -> usize {
    let mut depth = 1usize;
    let closes = |token: &Token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        depth == 0
    };
    tokens.iter().position(closes).unwrap_or(tokens.len())
}

/// Operands with their operators as they were.
fn plain(source: &str, operators: &[Token], operands: &[String]) -> String {
    let (first, rest) = operands.split_first().expect("a split has at least one operand");
    let mut out = first.clone();
    for (operand, operator) in rest.iter().zip(operators) {
        out.extend([" ", operator.text(source), " ", operand]);
    }
    out
}

/// Operands and the operators between them.
fn split(tokens: &[Token], is_operator: impl Fn(Kind) -> bool) -> (Vec<&[Token]>, Vec<Token>) {
    let (mut operands, mut operators) = (Vec::new(), Vec::new());
    let mut rest = tokens;
    loop {
        let length = operand(rest, &is_operator);
        operands.push(&rest[..length]);
        match rest.get(length) {
            Some(operator) => operators.push(*operator),
            None => return (operands, operators),
        }
        rest = &rest[length + 1..];
    }
}
