//! Rows of separated values, read as Python's `csv` reads them when it is not strict.
//!
//! Libraries drop blank lines and end at the first stray quote; agents rely on neither.

/// The characters that mean something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// Between two cells.
    pub delimiter: char,
    /// Around a cell that holds any of these characters; doubled within it.
    pub quote: Option<char>,
    /// Takes the meaning from the character after it.
    pub escape: Option<char>,
}

enum At {
    /// Before the first character of a row.
    Row,
    /// Before the first character of a later cell.
    Cell,
    /// In a cell without quotes.
    Bare,
    Quoted,
    /// After a quote within quotes: the end, or the first half of a quote that is meant.
    Quote,
    /// After an escape; whether that was within quotes.
    Escape(bool),
}

/// The cells of every row; a blank line is a row without cells. `None` when there are more than `most` cells, of which
/// a blank line counts as one.
pub(super) fn rows(text: &str, dialect: Dialect, most: usize) -> Option<Vec<Vec<String>>> {
    let Dialect { delimiter, quote, escape } = dialect;
    let (mut rows, mut row, mut cell, mut at, mut left) = (Vec::new(), Vec::new(), String::new(), At::Row, most);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let is_end = matches!(c, '\n' | '\r');
        // Both characters of one line end.
        if is_end && !matches!(at, At::Quoted | At::Escape(_)) {
            if c == '\r' {
                characters.next_if_eq(&'\n');
            }
            if !matches!(at, At::Row) {
                row.push(std::mem::take(&mut cell));
            }
            left = left.checked_sub(row.len().max(1))?;
            rows.push(std::mem::take(&mut row));
            at = At::Row;
            continue;
        }
        at = match at {
            At::Row | At::Cell | At::Bare | At::Quote if c == delimiter => {
                row.push(std::mem::take(&mut cell));
                At::Cell
            }
            At::Row | At::Cell if Some(c) == quote => At::Quoted,
            At::Row | At::Cell | At::Bare if Some(c) == escape => At::Escape(false),
            At::Quoted if Some(c) == escape => At::Escape(true),
            At::Quoted if Some(c) == quote => At::Quote,
            kept => {
                cell.push(c);
                match kept {
                    At::Quoted | At::Escape(true) => At::Quoted,
                    At::Quote if Some(c) == quote => At::Quoted,
                    _ => At::Bare,
                }
            }
        };
        if row.len() > left {
            return None;
        }
    }
    if !matches!(at, At::Row) {
        row.push(cell);
        left.checked_sub(row.len())?;
        rows.push(row);
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Dialect = Dialect { delimiter: ',', quote: Some('"'), escape: Some('\\') };

    fn read(text: &str) -> Vec<Vec<String>> {
        rows(text, PLAIN, 1000).expect("few cells")
    }

    #[test]
    fn rows_are_those_that_python_finds() {
        for (text, expected) in [
            ("", &[][..]),
            ("a,b\n1,2", &[&["a", "b"][..], &["1", "2"]]),
            ("a\r\nb\rc\n", &[&["a"], &["b"], &["c"]]),
            ("a\n\nb", &[&["a"], &[], &["b"]]),
            (",\n", &[&["", ""]]),
            ("\"a,b\",\"c\nd\",\"e\"\"f\"", &[&["a,b", "c\nd", "e\"f"]]),
            ("a\"b\",\"c\"d", &[&["a\"b\"", "cd"]]),
            ("\"open\nend", &[&["open\nend"]]),
            ("a\\,b,\"c\\\"d\",e\\\nf", &[&["a,b", "c\"d", "e\nf"]]),
            ("a,\"\"", &[&["a", ""]]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn without_quote_and_escape_they_are_characters_like_others() {
        let dialect = Dialect { delimiter: ';', quote: None, escape: None };
        assert_eq!(rows("\"a;b\";\\c", dialect, 9).expect("few"), [["\"a", "b\"", "\\c"]]);
    }

    #[test]
    fn cells_are_counted() {
        assert!(rows("a,b\nc", PLAIN, 3).is_some());
        assert!(rows("a,b\nc", PLAIN, 2).is_none());
        assert!(rows("\n\n\n", PLAIN, 2).is_none());
        assert!(rows(&",".repeat(100), PLAIN, 50).is_none());
    }
}
