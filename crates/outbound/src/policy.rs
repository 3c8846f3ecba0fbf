//! Which addresses may be dialled.

use std::net::IpAddr;

use crate::{Allow, is_public};

/// Public addresses, and those the operator allowed.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    allow: Vec<Allow>,
}

impl Policy {
    /// A policy with the entries of `outbound.allow`.
    pub fn new(allow: Vec<Allow>) -> Self {
        Self { allow }
    }

    /// Whether `ip`, which `host` stands for, may be dialled at `port`.
    pub fn permits(&self, host: &str, ip: IpAddr, port: u16) -> bool {
        is_public(ip) || self.allow.iter().any(|entry| entry.covers(host, Some(ip), port))
    }

    /// Whether an entry names this host and port outright, or the address it is written as. Nothing is resolved.
    pub fn names(&self, host: &str, port: u16) -> bool {
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        self.allow.iter().any(|entry| entry.covers(host, ip, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_opens_its_place_and_port_and_nothing_else() {
        let entries = ["db.internal:5432", "127.0.0.1:9000", "10.0.0.0/8:80", "[fd00::/8]:443"];
        let policy = Policy::new(entries.iter().map(|entry| entry.parse().expect("an entry")).collect());
        for (host, ip, port, permitted) in [
            ("db.internal", "192.168.1.1", 5432, true),
            ("DB.internal.", "::1", 5432, true),
            ("db.internal", "192.168.1.1", 5433, false),
            ("x.db.internal", "192.168.1.1", 5432, false),
            ("xdb.internal", "192.168.1.1", 5432, false),
            ("192.168.1.1", "192.168.1.1", 5432, false),
            ("anything.example", "127.0.0.1", 9000, true),
            ("127.0.0.1", "::ffff:127.0.0.1", 9000, true),
            ("localhost", "::1", 9000, false),
            ("127.0.0.1", "127.0.0.1", 9001, false),
            ("127.0.0.1", "127.0.0.2", 9000, false),
            ("a.example", "10.200.0.1", 80, true),
            ("a.example", "10.200.0.1", 443, false),
            ("a.example", "11.0.0.1", 443, true),
            ("a.example", "fd12::1", 443, true),
            ("a.example", "fe80::1", 443, false),
        ] {
            let ip = ip.parse().expect("an address");
            assert_eq!(policy.permits(host, ip, port), permitted, "{host} at {ip}, port {port}");
        }
    }

    #[test]
    fn a_host_is_named_without_resolving_it() {
        let entries = ["db.internal:5432", "127.0.0.1:9000"].map(|entry| entry.parse().expect("an entry"));
        let policy = Policy::new(entries.to_vec());
        for (host, port, named) in [
            ("db.internal", 5432, true),
            ("127.0.0.1", 9000, true),
            ("[::ffff:127.0.0.1]", 9000, true),
            ("localhost", 9000, false),
            ("example.com", 443, false),
        ] {
            assert_eq!(policy.names(host, port), named, "{host}");
        }
    }
}
