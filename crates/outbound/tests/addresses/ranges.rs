//! Every range that IANA's registries of special-purpose addresses set aside, from end to end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use heddle_outbound::{Error, Request};

use crate::recorder::{Names, Recorder, client};

/// Ranges without business on the public internet. Written down from the registries (and, for the host agent of one
/// cloud, from its manual), not from the policy.
const V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

const V6: &[&str] = &[
    "::/128",
    "::1/128",
    "::/96",           // IPv4-compatible, given up
    "::ffff:0:0:0/96", // translated (SIIT)
    "64:ff9b:1::/48",  // NAT64 within a network
    "100::/64",        // discarded
    "100:0:0:1::/64",  // a dummy prefix
    "2001::/23",       // protocol assignments
    "2001::/32",       // Teredo
    "2001:2::/48",     // benchmarks
    "2001:db8::/32",   // documentation
    "2001:10::/28",    // ORCHID
    "2001:20::/28",    // ORCHIDv2
    "2002::/16",       // 6to4
    "3fff::/20",       // documentation
    "5f00::/16",       // segment routing
    "fc00::/7",        // unique local
    "fe80::/10",       // link-local
    "fec0::/10",       // site-local, given up
    "ff00::/8",        // multicast
];

/// Just outside of a range, and well-known places.
const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.1.255",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:200::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2003::",
    "2606:4700:4700::1111",
    "2a00:1450:4001::8a",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
];

/// The first and last address of a range and some between; the same ones every time.
fn samples(range: &str) -> Vec<IpAddr> {
    let (base, length) = range.split_once('/').expect("a length");
    let length: u32 = length.parse().expect("a length");
    // Steps of a golden ratio spread over any range.
    let inside = |number: u128, bits: u32| match bits {
        0 => 0,
        bits => (number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)) >> (128 - bits),
    };
    match base.parse().expect("an address") {
        IpAddr::V4(base) => {
            let bits = 32 - length;
            let last = u32::try_from((1u64 << bits) - 1).expect("at most 32 bits");
            let between = (1..=16).map(|number| u32::try_from(inside(number, bits)).expect("at most 32 bits"));
            let offsets = [0, last].into_iter().chain(between);
            offsets.map(|offset| Ipv4Addr::from_bits(base.to_bits() | offset).into()).collect()
        }
        IpAddr::V6(base) => {
            let bits = 128 - length;
            let last = if bits == 0 { 0 } else { u128::MAX >> (128 - bits) };
            let offsets = [0, last].into_iter().chain((1..=16).map(|number| inside(number, bits)));
            offsets.map(|offset| Ipv6Addr::from_bits(base.to_bits() | offset).into()).collect()
        }
    }
}

fn literal(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// All ways in which an address could be reached: itself, and for IPv4 what a dual stack or a translator makes of it.
fn forms(ip: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V4(v4) = ip else { return vec![ip] };
    let nat64 = (0x0064_ff9b_u128 << 96) | u128::from(v4.to_bits());
    vec![ip, v4.to_ipv6_mapped().into(), Ipv6Addr::from_bits(nat64).into()]
}

#[tokio::test]
async fn no_address_of_a_range_set_aside_is_dialled() {
    let recorder = Recorder::new(None);
    let mut tried = 0;
    for range in V4.iter().chain(V6) {
        for ip in samples(range).into_iter().flat_map(forms) {
            // Written out, and behind a name.
            let written = client(&recorder, Names::none());
            let error = written.send(&Request::get(format!("http://{}/", literal(ip)))).await.expect_err("refused");
            assert!(matches!(error, Error::Blocked { .. }), "{ip} of {range}: {error}");
            let named = client(&recorder, Names::of("inside.example", &[&[ip]]));
            let error = named.send(&Request::get("https://inside.example/")).await.expect_err("refused");
            assert_eq!(error, Error::Blocked { host: "inside.example".to_owned() }, "{ip} of {range}");
            assert!(named.dial("inside.example", 25).await.is_err(), "{ip} of {range}");
            tried += 3;
        }
    }
    assert_eq!(recorder.take(), []);
    println!("{tried} dials asked for, none made");
}

#[tokio::test]
async fn addresses_beside_them_are_dialled_as_they_are() {
    let recorder = Recorder::new(None);
    for text in PUBLIC {
        for ip in forms(text.parse().expect("an address")) {
            let client = client(&recorder, Names::of("public-too.example", &[&[ip]]));
            for (url, port) in
                [(format!("http://{}/", literal(ip)), 80), ("https://public-too.example/".to_owned(), 443)]
            {
                let error = client.send(&Request::get(url)).await.expect_err("nobody is there");
                assert!(matches!(error, Error::Connect { .. }), "{ip}: {error}");
                assert_eq!(recorder.take(), [(ip, port).into()]);
            }
        }
    }
}
