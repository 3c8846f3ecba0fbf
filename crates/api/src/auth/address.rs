//! The address a request came from.

use axum::extract::ConnectInfo;
use http::request::Parts;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// With trusted proxies the entry of `X-Forwarded-For` that the outermost of them wrote; else, or when there are not
/// that many entries, the peer. Anything further left was written by the client and proves nothing.
pub fn client_address(parts: &Parts, trusted_proxies: usize) -> IpAddr {
    let peer = || {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip())
    };
    forwarded_address(parts, trusted_proxies).unwrap_or_else(peer)
}

/// The client that the outermost trusted proxy speaks for; `None` when none does, or what it says is no address.
pub fn forwarded_address(parts: &Parts, trusted_proxies: usize) -> Option<IpAddr> {
    let from_right = trusted_proxies.checked_sub(1)?;
    let forwarded = parts.headers.get_all("x-forwarded-for").into_iter().rev();
    forwarded.filter_map(|line| line.to_str().ok()).flat_map(|line| line.rsplit(',')).nth(from_right).and_then(read)
}

fn read(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What is counted as one client: an IPv6 customer has at least a /64 to himself.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_trusted_proxies_are_believed() {
        let address = |lines: &[&str], trusted| {
            let mut request = http::Request::builder();
            for line in lines {
                request = request.header("x-forwarded-for", *line);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            parts.extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 9))));
            client_address(&parts, trusted).to_string()
        };
        for (lines, trusted, expected) in [
            (&["1.1.1.1"][..], 0, "10.0.0.1"),
            (&["1.1.1.1"], 1, "1.1.1.1"),
            (&["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),
            (&["6.6.6.6, 1.1.1.1 , 2.2.2.2"], 2, "1.1.1.1"),
            (&["6.6.6.6", "1.1.1.1, 2.2.2.2"], 3, "6.6.6.6"),
            (&["1.1.1.1"], 2, "10.0.0.1"),
            (&["[2001:db8::1]:443"], 1, "2001:db8::1"),
            (&["nonsense"], 1, "10.0.0.1"),
            (&[], 1, "10.0.0.1"),
        ] {
            assert_eq!(address(lines, trusted), expected, "{lines:?} {trusted}");
        }
    }

    #[test]
    fn neighbours_in_a_v6_network_count_as_one() {
        let count = |address: &str| counted(address.parse().unwrap()).to_string();
        assert_eq!(count("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(count("::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(count("1.2.3.4"), "1.2.3.4");
    }
}
