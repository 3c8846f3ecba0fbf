//! Where to go after signing in: a path of this origin, never elsewhere.

use url::Url;

/// More is no path of ours.
const LONGEST: usize = 16 << 10;

/// The path, if a browser that is sent to it stays here. Browsers read `\` as `/`, drop tabs and line ends, and take what
/// begins with two slashes for another host.
pub fn local(next: &str) -> Option<&str> {
    let is_plain = next.len() <= LONGEST && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let here = Url::parse("https://here.invalid").ok()?;
    let stays = here.join(next).is_ok_and(|joined| joined.origin() == here.origin());
    (is_plain && is_path && stays).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_this_origin_are_gone_to() {
        for good in
            ["/", "/settings/api-keys", "/auth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fx", "/a//b", "/..//x"]
        {
            assert_eq!(local(good), Some(good));
        }
        for bad in [
            "",
            "settings",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /x",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/ü",
            "/a b",
            "/a\0",
            "?x",
            "#x",
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(17_000))), None);
    }
}
