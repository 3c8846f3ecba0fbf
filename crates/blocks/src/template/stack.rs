//! Room for deep templates.
//!
//! The parser and the values it makes recurse once for each link of a chain (`not not …`, `|upper|upper…`, `.a.b…`),
//! and running out of stack ends the process. How deep a template can go is bounded by its length, so a long one gets
//! a stack of its own, as large as it could ever need.

use super::Error;

/// Markup up to this many bytes fits the stack of whoever calls, however it is nested.
const SHALLOW: usize = 700;
/// The longest markup: plain text before and after it does not count. Parsing some chains takes time with the square
/// of their length.
const LONGEST: usize = 64 * 1024;
/// Bytes of stack for one byte of markup, twice what the greediest construct was seen to take.
const ROOM: usize = 2048;
/// For everything else that is on the stack.
const BASE: usize = 2 << 20;

/// Renders where there is room for a template of this source.
pub fn with_room(source: &str, render: impl FnOnce() -> Result<String, Error> + Send) -> Result<String, Error> {
    let length = markup(source);
    if length <= SHALLOW {
        return render();
    }
    if length > LONGEST {
        return Err(Error::Template(format!("the template's markup is longer than {LONGEST} bytes")));
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("template".to_owned()).stack_size(BASE + length * ROOM);
        let started = thread.spawn_scoped(scope, render);
        let started = started.map_err(|error| Error::Template(format!("no room to render the template: {error}")))?;
        started.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Bytes from the first tag to the end of the last one.
fn markup(source: &str) -> usize {
    let tag = |pair: &[u8]| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#');
    let end = |pair: &[u8]| pair[1] == b'}' && matches!(pair[0], b'}' | b'%' | b'#');
    let mut pairs = source.as_bytes().windows(2);
    let Some(first) = pairs.position(tag) else { return 0 };
    let last = source.as_bytes().windows(2).rposition(end).map_or(source.len(), |last| last + 2);
    // A tag that is never closed goes on to the end.
    if last <= first { source.len() - first } else { last - first }
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use heddle_model::Object;

    #[test]
    fn chains_of_any_kind_render_or_fail_and_never_end_the_process() {
        let links = [
            "not ",
            "-",
            "+1",
            "**1",
            "~1",
            " and 1",
            "<1",
            " is not none",
            " if 1 else 1",
            ".y",
            "[0]",
            "[:1]",
            "()",
            "|upper",
        ];
        for link in links {
            for count in [500, 3_000] {
                let chain = link.repeat(count);
                let source = match link {
                    "not " | "-" => format!("{{{{ {chain}1 }}}}"),
                    _ => format!("{{{{ x{chain} }}}}"),
                };
                let _ = render(&source, &Object::new(), false);
            }
        }
        let elif = format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(3_000));
        let _ = render(&elif, &Object::new(), false);
        let nested = format!("{{% set x=1 %}}{}{{{{ x }}}}", "{% set x=[x] %}".repeat(3_000));
        let _ = render(&nested, &Object::new(), false);
    }

    #[test]
    fn markup_without_end_and_markup_that_is_too_long_are_refused() {
        assert!(render(&format!("{{{{ {}", "-".repeat(5_000)), &Object::new(), false).is_err());
        let error = render(&format!("{{{{ {}1 }}}}", "-".repeat(70_000)), &Object::new(), false).unwrap_err();
        assert_eq!(error.to_string(), "the template's markup is longer than 65536 bytes");
    }

    #[test]
    fn long_plain_text_around_small_markup_is_no_deep_template() {
        assert_eq!(super::markup(&format!("{}{{{{ x }}}}{}", "a".repeat(5_000), "b".repeat(5_000))), 7);
        assert_eq!(super::markup("no tags }}"), 0);
        assert_eq!(super::markup("}} {{ x"), 4);
    }
}
