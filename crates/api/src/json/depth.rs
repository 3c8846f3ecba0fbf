//! How deep a document nests, measured without recursion, before anything recursive sees it.

/// Whether more than `limit` arrays and objects are open at once.
///
/// In a malformed document the count may be off after the fault; the parser stops at the fault, so it never goes
/// deeper than what was counted.
pub fn exceeds(json: &[u8], limit: usize) -> bool {
    let mut open = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                if open > limit {
                    return true;
                }
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => loop {
                match bytes.next() {
                    None => return false,
                    Some(b'"') => break,
                    Some(b'\\') => {
                        bytes.next();
                    }
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::exceeds;

    #[test]
    fn brackets_count_only_outside_strings() {
        for (json, limit, expected) in [
            ("[[1]]", 2, false),
            ("[[1]]", 1, true),
            (r#"["[[[[", "\"[["]"#, 1, false),
            (r#"{"a":{"b":[]}}"#, 2, true),
            ("[],[],[]", 1, false),
            ("[\"open [[[", 1, false),
        ] {
            assert_eq!(exceeds(json.as_bytes(), limit), expected, "{json}");
        }
    }
}
