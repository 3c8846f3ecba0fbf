//! Pictures of applications: theirs where it can be shown safely, a letter where not.

use super::Visit;
use maud::{Markup, html};
use url::{Host, Url};

/// The origin from which a picture would come; `None` for one that is not shown. Imported rows were never checked.
pub fn source(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_plain = match url.host()? {
        Host::Domain(name) => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
        Host::Ipv4(_) => true,
        // A policy has no form for these.
        Host::Ipv6(_) => false,
    };
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    let is_whole = address.starts_with("https://") && address.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && is_anonymous && is_whole).then(|| url.origin().ascii_serialization())
}

/// The picture, or the name's first letter where there is none or it may not be loaded here. What this server keeps itself
/// may be loaded everywhere.
pub fn logo(visit: &Visit, address: Option<&str>, name: &str, may_load: bool) -> Markup {
    let own = address.and_then(|address| address.strip_prefix(&visit.app.platform.authorization.media()));
    match own.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')) {
        Some(own) => html! { img.logo src=(visit.link(&format!("/media/{own}"))) alt="" width="56" height="56"; },
        None => elsewhere(address, name, may_load),
    }
}

fn elsewhere(address: Option<&str>, name: &str, may_load: bool) -> Markup {
    let letter = name.chars().find(|letter| letter.is_alphanumeric()).map(|letter| letter.to_uppercase().to_string());
    html! {
        @match address.filter(|address| may_load && source(address).is_some()) {
            Some(address) => img.logo src=(address) alt="" width="56" height="56" referrerpolicy="no-referrer";,
            None => span.logo aria-hidden="true" { (letter.as_deref().unwrap_or("?")) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_pictures_of_plain_hosts_are_loaded() {
        for (address, expected) in [
            ("https://looms.example/a.png?b=c", Some("https://looms.example")),
            ("https://looms.example:8443/a.png", Some("https://looms.example:8443")),
            ("http://looms.example/a.png", None),
            ("https://user@looms.example/a.png", None),
            ("https://[::1]/a.png", None),
            ("https:looms.example", None),
            ("https://a;script-src/x", None),
            ("javascript:alert(1)", None),
            ("data:image/svg+xml,x", None),
            ("//looms.example/a.png", None),
            ("https://looms.example/a b.png", None),
            ("", None),
        ] {
            assert_eq!(source(address).as_deref(), expected, "{address}");
        }
        assert!(elsewhere(Some("javascript:x"), "<b>", true).into_string().contains(">B<"));
        assert!(elsewhere(None, "…", true).into_string().contains(">?<"));
    }
}
