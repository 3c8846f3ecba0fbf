//! Ways to write an address inside so that a careless reader takes it for something else.
//!
//! Each is asked for directly, behind a redirect (`redirects.rs`) and, where it is a host, for another protocol than HTTP.
//! How a text is refused does not matter here, only that no connection is made to where it may have led.

use heddle_outbound::Request;

use crate::recorder::{Names, PUBLIC, Recorder, client};

/// Addresses; each is put into `http://HOST/` and `https://HOST:8443/x?y#z`.
pub const HOSTS: &[&str] = &[
    // Dotted, with leading zeros and parts left out.
    "127.0.0.1",
    "127.0.0.01",
    "127.00.00.01",
    "127.000.000.001",
    "127.1",
    "127.0.1",
    "127.0.257",
    "127.16777215",
    "10.1",
    "10.0.1",
    "192.168.257",
    "169.254.43518",
    "0",
    "0.0",
    "0.0.0",
    "0.0.0.0",
    "127.0.0.1.",
    "169.254.169.254.",
    // Decimal, of the whole and of parts.
    "2130706433",
    "3232235777",
    "2852039166",
    "167772161",
    "2886729729",
    "1681915904",
    "4294967295",
    "2130706433.",
    // Octal.
    "0177.0.0.1",
    "0177.0.0.01",
    "00177.0.0.1",
    "0000177.00.00.01",
    "017700000001",
    "0177.1",
    "0251.0376.0251.0376",
    "025177524776",
    "012.0.0.1",
    "0300.0250.0.1",
    "0254.020.0.1",
    "0144.0100.0.1",
    // Hexadecimal.
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.1",
    "0x7F.0X1",
    "0x000000007f000001",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0xa.0.0.1",
    "0xc0a80101",
    "0xac.0x10.0.1",
    "0x0",
    "0x",
    // Mixed.
    "0x7f.0.0.01",
    "0177.0x0.0.1",
    "0x7f.0.1",
    "0177.1.",
    "0xa9.254.0251.0xfe",
    "0xa9.0376.43518",
    // IPv6 of this machine and network, shortened and not.
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0:1]",
    "[::0.0.0.1]",
    "[fe80::1]",
    "[FE80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[FDFF::1]",
    "[ff02::1]",
    "[ff05::1:3]",
    "[100::1]",
    "[5f00::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001::1]",
    // IPv4 within IPv6: mapped, compatible, translated.
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:7f00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[0000:0000:0000:0000:0000:ffff:7f00:0001]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
    "[::ffff:c0a8:101]",
    "[::ffff:ac10:1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:100.64.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[::ffff:0:7f00:1]",
    // NAT64, 6to4, Teredo.
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:FF9B::A9FE:A9FE]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::c0a8:1]",
    "[64:ff9b:0:0:0:0:7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[64:ff9b:1::169.254.169.254]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2002:a00:1::1]",
    "[2002:c0a8:101::]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    // IDN: digits and dots that are other characters, and letters that fold.
    "①②⑦.⓪.⓪.①",
    "①②⑦.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "１２７。０。０。１",
    "⑯⑨.②⑤④.⑯⑨.②⑤④",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "𝟙𝟚𝟟.𝟘.𝟘.𝟙",
    "²¹³⁰⁷⁰⁶⁴³³",
    "0ｘ7ｆ.1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "LOCALHOST",
    "ℓocalhost",
    "localhoſt",
    "loc\u{ad}alhost",
    "127.0.0\u{ad}.1",
    "127.\u{200b}0.0.1",
    // Percent-encoding within the host.
    "%31%32%37.%30.%30.%31",
    "127%2e0%2e0%2e1",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "127.0.0.%31",
    "%30x7f.1",
    // Names.
    "localhost",
    "localhost.",
    "LocalHost",
    "a.localhost",
    "deep.er.localhost.",
    "127.0.0.1.localhost",
    // White space that readers of URLs drop.
    "127.0.\t0.1",
    "127.\n0.0.1",
    "local\r\nhost",
];

/// Whole texts, some of which look like a public place to one reader and like one inside to another.
pub const TEXTS: &[&str] = &[
    "http://ada:pw@127.0.0.1/",
    "http://public.example@127.0.0.1/",
    "http://public.example:80@127.0.0.1/",
    "http://public.example%2f@127.0.0.1/",
    "http://public.example%40127.0.0.1@127.0.0.1/",
    "http://@127.0.0.1/",
    "http://:@127.0.0.1/",
    "http://127.0.0.1:80@localhost/",
    "http://public.example&@127.0.0.1#@public.example/",
    "http://127.0.0.1\\@public.example/",
    "http:\\\\127.0.0.1\\",
    "http:/127.0.0.1/",
    "http:127.0.0.1",
    "http:///127.0.0.1/",
    "http://////127.0.0.1/",
    "HTTP://127.0.0.1/",
    "hTtPs://127.0.0.1/",
    "127.0.0.1",
    "127.0.0.1:80",
    "//127.0.0.1/",
    "///127.0.0.1/",
    " http://127.0.0.1/ ",
    "\thttp://127.0.0.1/",
    "\u{a0}http://127.0.0.1/",
    "ht\ntp://127.0.0.1/",
    "http://127.0.0.1?@public.example/",
    "http://127.0.0.1#@public.example/",
    "http://127.0.0.1;@public.example/",
    "http://127.0.0.1:443/",
    "http://127.0.0.1:00080/",
    "http://127.0.0.1:/",
    "http://[::1]:80/",
    "http://[::1",
    "http://::1/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[127.0.0.1]/",
    "http://[::ffff:127.1]/",
    "http://127.0.0.1\u{0}.public.example/",
    "http://127.0.0.1%00.public.example/",
    "http://127.0.0.1%0d%0a/",
    "http://999.0.0.1/",
    "http://127.0.0.1.1/",
    "http://256.256.256.256/",
    "http://4294967296/",
    "http://-1/",
    "http://0x100000000/",
    "http://127.0.0.0x1g/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stats",
    "ldap://127.0.0.1/",
    "unix:/var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "jar:http://127.0.0.1!/",
    "ws://127.0.0.1/",
    "view-source:http://127.0.0.1/",
    "blob:http://127.0.0.1/",
    "data:text/html,<a href=http://127.0.0.1>",
    "javascript:1",
    "netdoc:///etc/passwd",
    "http://",
    "http:///",
    "",
    " ",
    "/",
    "?",
    "#",
    "http://?",
    "http://#",
    "http://@/",
    "http://:80/",
];

/// Everything above as texts that a block could be given.
pub fn all() -> Vec<String> {
    let hosts = HOSTS.iter().flat_map(|host| [format!("http://{host}/"), format!("https://{host}:8443/x?y#z")]);
    hosts.chain(TEXTS.iter().map(|text| (*text).to_owned())).collect()
}

#[tokio::test]
async fn no_spelling_of_an_address_inside_is_dialled() {
    let recorder = Recorder::new(None);
    let client = client(&recorder, Names::none());
    for text in all() {
        let error = client.send(&Request::get(text.clone())).await;
        // Two of the texts do name a public host to a reader of URLs: the rest of them is a path, a user or a query.
        let elsewhere = recorder.take();
        assert!(elsewhere.iter().all(|address| address.ip() == PUBLIC), "{text:?} dialled {elsewhere:?}");
        assert!(error.is_err(), "{text:?}");
    }
    for host in HOSTS {
        assert!(client.dial(host, 25).await.is_err(), "{host}");
        assert_eq!(recorder.take(), [], "{host}");
    }
    assert!(HOSTS.len() + TEXTS.len() >= 120);
    println!("{} spellings of hosts, {} of whole addresses: no dial", HOSTS.len(), TEXTS.len());
}

#[tokio::test]
async fn the_recorder_does_see_dials() {
    let recorder = Recorder::new(None);
    let client = client(&recorder, Names::none());
    for text in ["http://1.1.1.1/", "http://0x01010101", "http://16843009/", "http://[::ffff:1.1.1.1]/", "１.１.１.１"]
    {
        assert!(client.send(&Request::get(text)).await.is_err());
        assert_eq!(recorder.take().len(), 1, "{text}");
    }
}
