//! One entry of the setting `outbound.allow`: a place inside that requests may reach all the same.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

/// A `host:port`, `ip:port` or `cidr:port`. IPv6 stands in brackets: `[::1]:8080`, `[fd00::/8]:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    place: Place,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Lower case, in its ASCII form, without a final dot. Whatever it resolves to is allowed.
    Name(String),
    Net(IpNet),
}

/// Why a text is not such an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// No port at the end.
    #[error("{0:?} names no port; write host:port, ip:port or cidr:port")]
    NoPort(String),
    /// The port is not one.
    #[error("{text:?}: the port must be 1 to 65535, not {port:?}")]
    Port {
        /// The entry.
        text: String,
        /// Its port.
        port: String,
    },
    /// An IPv6 address without brackets.
    #[error("{0:?}: put an IPv6 address or network in brackets, as in [::1]:8080")]
    Brackets(String),
    /// A scheme or path came along.
    #[error("{0:?} is an address, not a URL; write host:port without scheme and path")]
    Url(String),
    /// The network is not one.
    #[error("{text:?}: {network:?} is not a network such as 10.0.0.0/8")]
    Net {
        /// The entry.
        text: String,
        /// Its network.
        network: String,
    },
    /// The host is not one.
    #[error("{text:?}: {host:?} is neither a host name nor an address")]
    Host {
        /// The entry.
        text: String,
        /// Its host.
        host: String,
    },
}

impl Allow {
    /// Whether this entry covers `host` at `port`, or `ip`, which was found for it.
    pub(crate) fn covers(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        self.port == port
            && match &self.place {
                Place::Name(name) => host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case(name),
                Place::Net(net) => ip.is_some_and(|ip| net.contains(&ip.to_canonical())),
            }
    }
}

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let entry = text.trim();
        let own = || entry.to_owned();
        if entry.contains("://") {
            return Err(AllowError::Url(own()));
        }
        let (host, port) = entry.rsplit_once(':').ok_or_else(|| AllowError::NoPort(own()))?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bracketed.is_none() && host.contains(':') {
            return Err(if host.starts_with('[') { AllowError::NoPort(own()) } else { AllowError::Brackets(own()) });
        }
        if port.contains('/') {
            return Err(AllowError::Url(own()));
        }
        let number = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|port| port.parse().ok()).filter(|number| *number > 0);
        let port = number.ok_or_else(|| AllowError::Port { text: own(), port: port.to_owned() })?;
        Ok(Self { place: place(entry, bracketed.unwrap_or(host), bracketed.is_some())?, port })
    }
}

fn place(entry: &str, host: &str, bracketed: bool) -> Result<Place, AllowError> {
    if host.contains('/') {
        let net: Option<IpNet> = host.parse().ok().filter(|net: &IpNet| bracketed == net.network().is_ipv6());
        let error = || AllowError::Net { text: entry.to_owned(), network: host.to_owned() };
        return Ok(Place::Net(canonical(net.ok_or_else(error)?).trunc()));
    }
    let error = || AllowError::Host { text: entry.to_owned(), host: host.to_owned() };
    let parsed = if bracketed {
        Host::Ipv6(host.parse().map_err(|_| error())?)
    } else {
        Host::parse(host).map_err(|_| error())?
    };
    Ok(match parsed {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            if name.is_empty() {
                return Err(error());
            }
            Place::Name(name.to_ascii_lowercase())
        }
        Host::Ipv4(ip) => Place::Net(IpAddr::from(ip).into()),
        Host::Ipv6(ip) => Place::Net(ip.to_canonical().into()),
    })
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8` in other words, and addresses are compared in the latter.
fn canonical(net: IpNet) -> IpNet {
    let inner = match net {
        IpNet::V6(net) if net.prefix_len() >= 96 => net.addr().to_ipv4_mapped().map(|ip| (ip, net.prefix_len() - 96)),
        _ => None,
    };
    inner.and_then(|(ip, length)| IpNet::new(ip.into(), length).ok()).unwrap_or(net)
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => write!(f, "{name}:{}", self.port),
            Place::Net(net) => {
                let whole = net.prefix_len() == net.max_prefix_len();
                let text = if whole { net.addr().to_string() } else { net.to_string() };
                if net.addr().is_ipv6() {
                    write!(f, "[{text}]:{}", self.port)
                } else {
                    write!(f, "{text}:{}", self.port)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_shown_in_one_form() {
        for (text, shown) in [
            ("example.com:443", "example.com:443"),
            (" Example.COM.:8080 ", "example.com:8080"),
            ("bücher.example:80", "xn--bcher-kva.example:80"),
            ("localhost:9000", "localhost:9000"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("127.1:65535", "127.0.0.1:65535"),
            ("10.1.2.3/8:5432", "10.0.0.0/8:5432"),
            ("0.0.0.0/0:80", "0.0.0.0/0:80"),
            ("[::1]:8080", "[::1]:8080"),
            ("[fd00::1/8]:443", "[fd00::/8]:443"),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
            ("[::ffff:10.0.0.1/104]:80", "10.0.0.0/8:80"),
        ] {
            let entry: Allow = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(entry.to_string(), shown);
            assert_eq!(entry.to_string().parse(), Ok(entry));
        }
    }

    #[test]
    fn wrong_entries_say_what_is_wrong() {
        for (text, message) in [
            ("", r#""" names no port; write host:port, ip:port or cidr:port"#),
            ("example.com", r#""example.com" names no port; write host:port, ip:port or cidr:port"#),
            ("[::1]", r#""[::1]" names no port; write host:port, ip:port or cidr:port"#),
            ("example.com:", r#""example.com:": the port must be 1 to 65535, not """#),
            ("example.com:0", r#""example.com:0": the port must be 1 to 65535, not "0""#),
            ("example.com:+80", r#""example.com:+80": the port must be 1 to 65535, not "+80""#),
            ("example.com:65536", r#""example.com:65536": the port must be 1 to 65535, not "65536""#),
            ("example.com:*", r#""example.com:*": the port must be 1 to 65535, not "*""#),
            ("::1:8080", r#""::1:8080": put an IPv6 address or network in brackets, as in [::1]:8080"#),
            ("fd00::/8:443", r#""fd00::/8:443": put an IPv6 address or network in brackets, as in [::1]:8080"#),
            (
                "http://a.example:80",
                r#""http://a.example:80" is an address, not a URL; write host:port without scheme and path"#,
            ),
            ("a.example:80/x", r#""a.example:80/x" is an address, not a URL; write host:port without scheme and path"#),
            ("10.0.0.0/33:80", r#""10.0.0.0/33:80": "10.0.0.0/33" is not a network such as 10.0.0.0/8"#),
            ("a.example/8:80", r#""a.example/8:80": "a.example/8" is not a network such as 10.0.0.0/8"#),
            ("[10.0.0.0/8]:80", r#""[10.0.0.0/8]:80": "10.0.0.0/8" is not a network such as 10.0.0.0/8"#),
            (":80", r#"":80": "" is neither a host name nor an address"#),
            (".:80", r#"".:80": "." is neither a host name nor an address"#),
            ("a b:80", r#""a b:80": "a b" is neither a host name nor an address"#),
            ("1.2.3.256:80", r#""1.2.3.256:80": "1.2.3.256" is neither a host name nor an address"#),
            ("[::g]:80", r#""[::g]:80": "::g" is neither a host name nor an address"#),
        ] {
            assert_eq!(text.parse::<Allow>().expect_err(text).to_string(), message);
        }
    }
}
