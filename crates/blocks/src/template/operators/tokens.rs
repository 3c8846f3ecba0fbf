//! The tokens of one tag, as far as finding operators needs them.

/// A piece of a tag by its place in the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// What a token does to the expressions around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Part of an operand.
    Part,
    Open,
    Close,
    /// Binds more loosely than a comparison, or as loosely: `,`, `and`, `in` and the like.
    Separator,
    /// `==` and `!=`, which matter only in a chain of comparisons.
    Equal,
    /// `<`, `<=`, `>`, `>=`.
    Order,
    /// `+` and `-` between operands.
    Sum,
    /// `~`.
    Join,
    /// `*`, `/`, `//`.
    Product,
    /// `%`.
    Modulo,
}

/// Brackets within brackets.
const MAX_DEPTH: usize = 100;
const WORDS: [&str; 8] = ["and", "or", "if", "else", "in", "for", "recursive", "as"];

impl Token {
    /// The token as written.
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start..self.end]
    }
}

/// The tokens from `at` to the tag's end, and where the source goes on. `None` when the tag does not end.
pub(super) fn tokens(source: &str, at: usize, block: bool) -> Option<(Vec<Token>, usize)> {
    let closer = if block { "%}" } else { "}}" };
    let mut tokens: Vec<Token> = Vec::new();
    let mut depth = 0usize;
    let mut at = at;
    loop {
        let rest = &source[at..];
        let c = rest.chars().next()?;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if depth == 0 {
            let trimmed = rest.strip_prefix(['-', '+']).filter(|rest| rest.starts_with(closer)).unwrap_or(rest);
            if let Some(after) = trimmed.strip_prefix(closer) {
                return Some((tokens, source.len() - after.len()));
            }
        }
        // A sign that follows an operator, or nothing, belongs to the operand after it.
        let last = tokens.last();
        let begins = last.is_none_or(|token| {
            !matches!(token.kind, Kind::Part | Kind::Close) || ["not", "**", "|", "is"].contains(&token.text(source))
        });
        let after_is = last.is_some_and(|token| token.text(source) == "is");
        let (kind, length) = match c {
            '"' | '\'' => (Kind::Part, text(rest, c)?),
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            ',' | ':' => (Kind::Separator, 1),
            _ if ["==", "!="].iter().any(|operator| rest.starts_with(operator)) => (Kind::Equal, 2),
            '=' => (Kind::Separator, 1),
            _ if ["<=", ">="].iter().any(|operator| rest.starts_with(operator)) => (Kind::Order, 2),
            '<' | '>' => (Kind::Order, 1),
            _ if rest.starts_with("**") => (Kind::Part, 2),
            _ if rest.starts_with("//") => (Kind::Product, 2),
            '*' if begins => (Kind::Part, 1),
            '*' | '/' => (Kind::Product, 1),
            '%' => (Kind::Modulo, 1),
            '+' | '-' if begins => (Kind::Part, 1),
            '+' | '-' => (Kind::Sum, 1),
            '~' => (Kind::Join, 1),
            _ if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let word = &rest[..end];
                let attribute = last.is_some_and(|token| token.text(source) == ".");
                let separates = !attribute && !after_is && (WORDS.contains(&word) || word == "not");
                (if separates { Kind::Separator } else { Kind::Part }, end)
            }
            other => (Kind::Part, other.len_utf8()),
        };
        match kind {
            // The compiler refuses such depths; following them could exhaust the stack.
            Kind::Open if depth == MAX_DEPTH => return None,
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.checked_sub(1)?,
            _ => {}
        }
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
}

/// The length of a quoted text.
fn text(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
