//! Which styles show a number as a date.

use super::{attribute, each};
use quick_xml::events::Event;
use std::collections::HashMap;

/// For every style by its number whether it is one for dates.
pub(super) fn dates(document: &str) -> Result<Vec<bool>, String> {
    let (mut own, mut dates, mut is_within) = (HashMap::new(), Vec::new(), false);
    each(document, |event| {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (attribute(tag, "numFmtId"), attribute(tag, "formatCode")) {
                        own.insert(id, is_date(&code));
                    }
                }
                "cellXfs" => is_within = matches!(event, Event::Start(_)),
                "xf" if is_within => {
                    let id = attribute(tag, "numFmtId").unwrap_or_default();
                    dates.push(own.get(&id).copied().unwrap_or_else(|| is_built_in(&id)));
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => is_within = false,
            _ => {}
        }
        Ok(())
    })?;
    Ok(dates)
}

/// The formats for dates that every reader knows by their numbers.
fn is_built_in(id: &str) -> bool {
    matches!(id.parse(), Ok(14..=22 | 27..=36 | 45..=47 | 50..=58))
}

/// Whether a format writes a day or a time: it has one of their letters, outside of texts and colours.
fn is_date(code: &str) -> bool {
    let mut characters = code.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => drop(characters.by_ref().find(|c| *c == '"')),
            '[' => drop(characters.by_ref().find(|c| *c == ']')),
            '\\' | '_' | '*' => drop(characters.next()),
            'y' | 'm' | 'd' | 'h' | 's' | 'Y' | 'M' | 'D' | 'H' | 'S' => return true,
            // Only what holds for positive numbers counts.
            ';' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn letters_of_dates_count_outside_of_texts() {
        for code in ["yyyy-mm-dd", "[$-409]d/m/yy h:mm", "h:mm:ss"] {
            assert!(is_date(code), "{code}");
        }
        for code in ["0.00", "#,##0 \"days\"", "[Red]0", "0\\d", "General", "0;yyyy", ""] {
            assert!(!is_date(code), "{code}");
        }
    }
}
