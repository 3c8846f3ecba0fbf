//! What a token is for (RFC 8707): addresses of this server.

use url::Url;

/// How many one request may name, and how long each may be.
pub const MOST: usize = 8;
const LONGEST: usize = 500;

/// Whether a request may name this as what its token is for: an absolute URI without fragment, within the issuer.
pub fn is_ours(resource: &str, issuer: &str) -> bool {
    resource.len() <= LONGEST && !resource.contains('#') && is_within(resource, issuer)
}

/// Whether an address is another one, or lies beneath it.
pub fn is_within(address: &str, above: &str) -> bool {
    let (Ok(address), Ok(above)) = (Url::parse(address), Url::parse(above)) else { return false };
    if address.origin() != above.origin() || !address.origin().is_tuple() || !address.username().is_empty() {
        return false;
    }
    let Some(rest) = address.path().strip_prefix(above.path().trim_end_matches('/')) else { return false };
    rest.is_empty() || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8707, 2.
    #[test]
    fn a_resource_is_an_address_of_this_server() {
        let issuer = "https://agents.example.org/heddle";
        for (resource, ours) in [
            ("https://agents.example.org/heddle", true),
            ("https://agents.example.org/heddle/", true),
            ("https://agents.example.org/heddle/mcp", true),
            ("https://agents.example.org:443/heddle/mcp", true),
            ("https://agents.example.org/heddler", false),
            ("https://agents.example.org/", false),
            ("https://agents.example.org/heddle/../other", false),
            ("https://agents.example.org/heddle#x", false),
            ("https://x@agents.example.org/heddle", false),
            ("https://agents.example.org.evil.example/heddle", false),
            ("http://agents.example.org/heddle", false),
            ("/heddle", false),
            ("urn:x", false),
            ("", false),
        ] {
            assert_eq!(is_ours(resource, issuer), ours, "{resource}");
        }
        assert!(!is_ours(&format!("{issuer}/{}", "x".repeat(LONGEST)), issuer));
        assert!(is_ours("http://127.0.0.1:8006/mcp", "http://127.0.0.1:8006"));
    }
}
