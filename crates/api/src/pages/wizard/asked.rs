//! What an application asks the wizard for, read from the address (`auth.md` 10).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use url::Url;

/// More are no setup.
const MOST: usize = 32;

/// Padding may be there or not.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// One account that an application wants to be connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The provider.
    pub provider: String,
    /// What it is to allow; empty: the usual.
    pub scopes: Vec<String>,
}

/// Reads the parameter `providers`: Base64 of either alphabet, padded or not, of a JSON array. Entries without a provider
/// are left out, and so is one that comes again; `None` when nothing is left.
pub fn wanted(text: &str) -> Option<Vec<Wanted>> {
    // A plus sign that was not encoded arrives as a space.
    let text = text.trim().replace(' ', "+");
    let bytes = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).ok()?;
    let Value::Array(entries) = serde_json::from_slice(&bytes).ok()? else { return None };
    let mut all: Vec<Wanted> = Vec::new();
    for entry in &entries {
        let Some(provider) = entry.get("provider").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            continue;
        };
        let listed = entry.get("scopes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let scopes: Vec<String> = listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        match all.iter().position(|known| known.provider == provider) {
            Some(at) => {
                for scope in scopes {
                    if !all[at].scopes.contains(&scope) {
                        all[at].scopes.push(scope);
                    }
                }
            }
            None if all.len() < MOST => all.push(Wanted { provider: provider.to_owned(), scopes }),
            None => {}
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

/// What a provider is called when its file is not at hand: split at `_` and `-`, with capitals.
pub fn display_name(provider: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", letters.as_str())
    };
    provider.split(['_', '-']).filter(|word| !word.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
}

/// How a setup ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All is connected.
    Done,
    /// The person gave up.
    Cancelled,
}

/// Where to go: http or https, and no user name that makes it look like another place.
pub fn target(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'))?;
    let is_plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (is_plain && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// The address that tells an application how its setup ended. Query and fragment of its own stay.
pub fn leave(mut target: Url, outcome: Outcome, state: Option<&str>) -> Url {
    let mut query = target.query_pairs_mut();
    match outcome {
        Outcome::Done => query.append_pair("success", "true"),
        Outcome::Cancelled => query
            .append_pair("error", "user_cancelled")
            .append_pair("error_description", "User cancelled the integration setup"),
    };
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    if outcome == Outcome::Cancelled {
        // What the documents promise, behind what was always sent.
        query.append_pair("success", "false");
    }
    drop(query);
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD as PADDED, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    #[test]
    fn a_list_is_read_in_every_spelling_of_base64() {
        let json = r#"[{"provider":"github","scopes":["repo","gist"]},{"provider":"google~~?"}]"#;
        let read = wanted(&PADDED.encode(json)).unwrap();
        assert_eq!(
            read[0],
            Wanted { provider: "github".to_owned(), scopes: vec!["repo".to_owned(), "gist".to_owned()] }
        );
        assert_eq!(read[1], Wanted { provider: "google~~?".to_owned(), scopes: vec![] });
        for text in [STANDARD_NO_PAD.encode(json), URL_SAFE_NO_PAD.encode(json), PADDED.encode(json).replace('+', " ")]
        {
            assert_eq!(wanted(&text).as_ref(), Some(&read), "{text}");
        }
    }

    #[test]
    fn entries_that_name_nobody_are_left_out_and_nothing_left_is_nothing() {
        for (json, names) in [
            (r#"[{"provider":"a"},{"scopes":[]},7,null,{"provider":7},{"provider":"b","scopes":"x"}]"#, vec!["a", "b"]),
            (r#"[{"provider":"a","scopes":["x"]},{"provider":"a","scopes":["x","y"]}]"#, vec!["a"]),
            ("[]", vec![]),
            (r#"{"provider":"a"}"#, vec![]),
            (r#"[{"provider":""}]"#, vec![]),
            ("nonsense", vec![]),
        ] {
            let read = wanted(&PADDED.encode(json)).unwrap_or_default();
            assert_eq!(read.iter().map(|one| one.provider.as_str()).collect::<Vec<_>>(), names, "{json}");
        }
        assert_eq!(wanted("%%%"), None);
        assert_eq!(wanted(""), None);
        let many: Vec<Value> = (0..100).map(|number| serde_json::json!({ "provider": number.to_string() })).collect();
        assert_eq!(wanted(&PADDED.encode(Value::from(many).to_string())).unwrap().len(), 32);
    }

    #[test]
    fn names_get_capitals() {
        for (name, shown) in [("github", "Github"), ("open_router", "Open Router"), ("a-b_c", "A B C"), ("", "")] {
            assert_eq!(display_name(name), shown);
        }
    }

    #[test]
    fn an_application_is_told_how_it_ended() {
        for (to, outcome, state, told) in [
            ("https://a.example/cb", Outcome::Done, Some("s&1"), "https://a.example/cb?success=true&state=s%261"),
            ("https://a.example/cb?x=y#f", Outcome::Done, None, "https://a.example/cb?x=y&success=true#f"),
            (
                "https://a.example/cb?x=y",
                Outcome::Cancelled,
                Some("s"),
                "https://a.example/cb?x=y&error=user_cancelled&error_description=User+cancelled+the+integration+setup\
                 &state=s&success=false",
            ),
            (
                "http://localhost:3000/",
                Outcome::Cancelled,
                None,
                "http://localhost:3000/?error=user_cancelled\
                 &error_description=User+cancelled+the+integration+setup&success=false",
            ),
        ] {
            assert_eq!(leave(target(to).unwrap(), outcome, state).as_str(), told);
        }
    }

    #[test]
    fn only_web_addresses_are_gone_to() {
        for good in ["https://a.example/cb", "http://localhost:3000", "HTTPS://A.example/"] {
            assert!(target(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "myapp:/cb",
            "//evil.example",
            "/path",
            "",
            "https://",
            "https://a.example@evil.example/",
            "https://a.example\\@evil.example/",
            "https://a.example/\t",
            " https://a.example/",
            "https:\\\\evil.example",
        ] {
            assert_eq!(target(bad), None, "{bad:?}");
        }
    }
}
