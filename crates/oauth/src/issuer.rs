//! Who this server is to others: one configured address, never taken from a request (`auth.md` 12.2).

/// The address without a slash at its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer(String);

impl Issuer {
    /// From the public address of the server, with or without a path.
    pub fn new(public_url: &str) -> Self {
        Self(public_url.trim_end_matches('/').to_owned())
    }

    /// The identifier, for `iss` and `issuer`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands within quotes in a header.
    pub(crate) fn quotable(&self) -> String {
        crate::bearer::quotable(&self.0)
    }

    /// The address of a path that begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The path everything is served under: empty, or with a leading slash.
    pub fn path(&self) -> &str {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        self.0[host..].find('/').map_or("", |slash| &self.0[host + slash..])
    }
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
