//! Bounds of what people write.

use crate::Error;
use url::Url;

/// Characters of an address.
const ADDRESS: usize = 2_000;

/// A text of at most so many letters; line ends only where there may be several lines.
pub(super) fn bounded(what: &str, text: &str, most: usize, is_long: bool) -> Result<String, Error> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > most {
        return Err(Error::Refused(format!("{what} has at most {most} letters")));
    }
    if text.chars().any(|letter| letter.is_control() && !(is_long && (letter == '\n' || letter == '\t'))) {
        let all = if is_long { "" } else { ", all on one line" };
        return Err(Error::Refused(format!("{what} is plain text{all}")));
    }
    Ok(text)
}

/// The same, where something must be left.
pub(super) fn required(what: &str, text: &str, most: usize, is_long: bool) -> Result<String, Error> {
    match bounded(what, text, most, is_long)? {
        empty if empty.is_empty() => Err(Error::Refused(format!("{what} is missing"))),
        text => Ok(text),
    }
}

/// The same, where nothing may be left.
pub(super) fn optional(what: &str, text: Option<&str>, most: usize) -> Result<Option<String>, Error> {
    let text = text.map(|text| bounded(what, text, most, true)).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// An https address, or http, of a place elsewhere.
pub(super) fn address(what: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let refused = || Error::Refused(format!("{what} is not a web address, such as https://example.org/me"));
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.as_str().len() <= ADDRESS;
    match is_web && is_plain {
        true => Ok(url.into()),
        false => Err(refused()),
    }
}

/// Perhaps such an address.
pub(super) fn optional_address(what: &str, text: Option<&str>) -> Result<Option<String>, Error> {
    text.filter(|text| !text.trim().is_empty()).map(|text| address(what, text)).transpose()
}

/// A name as addresses have it: small letters a to z, digits and hyphens.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in heddle_search::fold(text).chars() {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_small_letters_digits_and_hyphens() {
        for (text, expected) in [
            ("Meeting Digest", "meeting-digest"),
            ("  Ünïcode – & more!  ", "unicode-more"),
            ("议事录", ""),
            ("A/B%2f..", "a-b-2f"),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_of_the_web_and_hold_no_password() {
        assert_eq!(address("it", " https://example.org/a b ").unwrap(), "https://example.org/a%20b");
        for bad in ["javascript:alert(1)", "data:text/html,x", "https://u:p@example.org", "example.org", "ftp://x", ""]
        {
            assert!(address("it", bad).is_err(), "{bad}");
        }
    }
}
