//! Parameters as forms and queries carry them: bounded, and each at most once (RFC 6749, 3.1).

use std::borrow::Cow;
use url::form_urlencoded;

/// The longest query or form that is read.
pub const MOST_BYTES: usize = 32 << 10;
const MOST: usize = 100;

/// The only one that may come several times (RFC 8707, 2).
const MANY: &str = "resource";

/// Names and values in the order in which they came.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or form. `None` when it is longer than anything sensible.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let pairs: Vec<_> =
            form_urlencoded::parse(text).map(|(name, value)| (own(name), own(value))).take(MOST + 1).collect();
        (pairs.len() <= MOST).then_some(Self(pairs))
    }

    /// The value of this name. One without a value counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The values of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.filter(|value| !value.is_empty()).collect()
    }

    /// A name that came more than once, with or without values.
    pub fn repeated(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names()
            .enumerate()
            .find(|(index, name)| *name != MANY && names().take(*index).any(|before| before == *name))
            .map(|(_, name)| name)
    }

    /// Whether this name came more than once.
    pub fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| known == name).count() > 1
    }

    /// The same without these names.
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The request to come back to after a sign-in: what asked for that sign-in is met and must not ask again.
    pub fn after_sign_in(&self) -> Self {
        let mut rest = self.without(&["max_age"]);
        for (_, value) in rest.0.iter_mut().filter(|(name, _)| name == "prompt") {
            let words: Vec<_> = value.split(' ').filter(|word| !matches!(*word, "login" | "select_account")).collect();
            *value = words.join(" ");
        }
        rest
    }

    /// As a query.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl std::fmt::Debug for Parameters {
    /// Names only: there are secrets among the values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn own(text: Cow<'_, str>) -> String {
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749, 3.1: without a value is absent; more than once is an error. RFC 8707, 2: but for `resource`.
    #[test]
    fn parameters_come_once() {
        for (text, repeated) in [
            ("a=1&b=2", None),
            ("a=1&b=2&a=1", Some("a")),
            ("a=1&a=", Some("a")),
            ("a=1&%61=2", Some("a")),
            ("resource=x&resource=y", None),
            ("a=1&A=2", None),
        ] {
            assert_eq!(Parameters::parse(text.as_bytes()).unwrap().repeated(), repeated, "{text}");
        }
        let parameters = Parameters::parse(b"a=&b=x+y%2Bz&resource=1&resource=2").unwrap();
        assert_eq!((parameters.get("a"), parameters.get("b"), parameters.get("c")), (None, Some("x y+z"), None));
        assert_eq!(parameters.all("resource"), ["1", "2"]);
        assert!(!format!("{parameters:?}").contains("x y"));
    }

    #[test]
    fn more_than_anything_sensible_is_not_read() {
        assert!(Parameters::parse("a=1&".repeat(MOST).as_bytes()).is_some());
        assert!(Parameters::parse("a=1&".repeat(MOST + 1).as_bytes()).is_none());
        assert!(Parameters::parse(&[b'a'; MOST_BYTES]).is_some());
        assert!(Parameters::parse(&[b'a'; MOST_BYTES + 1]).is_none());
    }

    /// `auth.md` 6.1: back here unchanged, but for what would ask for another sign-in.
    #[test]
    fn a_request_survives_the_sign_in() {
        let again = |text: &str| Parameters::parse(text.as_bytes()).unwrap().after_sign_in().encode();
        assert_eq!(again("client_id=a&scope=b+c&state=%26%C3%BC"), "client_id=a&scope=b+c&state=%26%C3%BC");
        assert_eq!(again("prompt=login+consent&max_age=0&x=1"), "prompt=consent&x=1");
        assert_eq!(again("prompt=login"), "prompt=");
    }
}
