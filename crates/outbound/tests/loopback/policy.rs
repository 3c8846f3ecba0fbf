//! Nobody gets inside: not by address, name, redirect or a resolver that changes its mind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::common::{Names, Server, client, client_of, get, redirect, reply};
use heddle_outbound::{Error, Request};

fn blocked(host: &str) -> Error {
    Error::Blocked { host: host.to_owned() }
}

#[tokio::test]
async fn an_address_inside_is_not_dialled_however_it_is_written() {
    let server = Server::saying(reply(200, "", "inside")).await;
    let client = client(&[], Arc::new(Names::default()));
    let port = server.port();
    for (host, named) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0.0.0.0", "0.0.0.0"),
        ("ada:pw@127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("①②⑦.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::]", "[::]"),
        ("[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        ("[::127.0.0.1]", "[::7f00:1]"),
        ("[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]"),
        ("[2002:7f00:1::]", "[2002:7f00:1::]"),
        ("169.254.169.254", "169.254.169.254"),
    ] {
        for scheme in ["http", "https"] {
            let error = client.send(&Request::get(format!("{scheme}://{host}:{port}/"))).await.expect_err(host);
            assert_eq!(error, blocked(named), "{host}");
        }
        let dialled = client.dial(host.rsplit('@').next().expect("a host"), port).await;
        assert!(dialled.is_err(), "{host}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_points_inside_is_not_dialled_and_its_address_not_told() {
    let server = Server::saying(reply(200, "", "inside")).await;
    for inside in ["127.0.0.1", "10.11.12.13", "::1", "::ffff:127.0.0.1", "fd00::7", "169.254.169.254"] {
        let client = client(&[], Names::of("inside.example", &[&[inside]]));
        let error = client.send(&Request::get(format!("inside.example:{}", server.port()))).await.expect_err(inside);
        assert_eq!(error, blocked("inside.example"));
        assert_eq!(error.to_string(), "host inside.example is not allowed: its address is private or reserved");
        assert!(!format!("{error:?}").contains(inside));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_entry_opens_an_address_a_network_or_a_name() {
    let server = Server::saying(reply(200, "", "inside")).await;
    let port = server.port();
    let names = || Names::of("inside.example", &[&["127.0.0.1"]]);
    for (entry, host, good) in [
        (format!("127.0.0.1:{port}"), "127.0.0.1", true),
        (format!("127.0.0.1:{port}"), "inside.example", true),
        (format!("127.0.0.0/8:{port}"), "inside.example", true),
        (format!("inside.example:{port}"), "inside.example", true),
        (format!("inside.example:{port}"), "INSIDE.example", true),
        (format!("inside.example:{port}"), "127.0.0.1", false),
        (format!("inside.example:{}", port ^ 1), "inside.example", false),
        (format!("127.0.0.2:{port}"), "inside.example", false),
    ] {
        let answer = client(std::slice::from_ref(&entry), names()).send(&Request::get(format!("{host}:{port}"))).await;
        assert_eq!(answer.map(|answer| answer.body.to_vec()).ok(), good.then(|| b"inside".to_vec()), "{entry} {host}");
    }
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_dialled() {
    let server = Server::saying(reply(200, "", "found")).await;
    // Were one of the others dialled, there would be a refusal or a wait and not `Blocked`.
    let names = Names::of("mixed.example", &[&["::1", "127.0.0.2", "127.0.0.1"]]);
    let client = client(&[server.address.to_string()], names);
    let answer = client.send(&Request::get(format!("mixed.example:{}", server.port()))).await.expect("the third");
    assert_eq!(answer.text(), "found");
}

#[tokio::test]
async fn a_name_is_resolved_once_for_each_connection() {
    let (inside, outside) = (Server::saying(reply(200, "", "inside")).await, Server::saying("").await);
    // The first answer is refused; a client that asked again before dialling would get the second one, or the reverse.
    let port = inside.port();
    let names = Names::of("rebind.example", &[&["127.0.0.2"], &["127.0.0.1"]]);
    let client_one = client(&[format!("127.0.0.1:{port}")], Arc::clone(&names) as _);
    let error = client_one.send(&Request::get(format!("rebind.example:{port}"))).await.expect_err("judged the first");
    assert_eq!((error, names.asked.load(Ordering::SeqCst)), (blocked("rebind.example"), 1));
    assert_eq!(inside.connections(), 0);

    // Good at first, bad later: the dialled address is the judged one, and a new connection is judged anew.
    let names = Names::of("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let client_two = client(&[format!("127.0.0.1:{port}")], Arc::clone(&names) as _);
    let request = Request::get(format!("rebind.example:{port}"));
    assert_eq!(client_two.send(&request).await.expect("the judged address").text(), "inside");
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    let elsewhere = Request::get(format!("rebind.example:{}", outside.port()));
    assert_eq!(client_two.send(&elsewhere).await.expect_err("judged anew"), blocked("rebind.example"));
    assert_eq!(outside.connections(), 0);
}

#[tokio::test]
async fn a_redirect_does_not_lead_inside() {
    let inside = Server::saying(reply(200, "", "inside")).await;
    let port = inside.port();
    for (location, error) in [
        (format!("http://127.0.0.1:{port}/"), blocked("127.0.0.1")),
        (format!("//2130706433:{port}/"), blocked("127.0.0.1")),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), blocked("[::ffff:7f00:1]")),
        (format!("http://inside.example:{port}/"), blocked("inside.example")),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), blocked("169.254.169.254")),
        ("file:///etc/passwd".to_owned(), Error::Scheme { scheme: "file".to_owned() }),
        ("http://nowhere.example/".to_owned(), Error::NotFound { host: "nowhere.example".to_owned() }),
        ("http://".to_owned(), Error::Location { host: "127.0.0.1".to_owned() }),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let server = Server::saying(redirect(status, &location)).await;
            let client = client(&[server.address.to_string()], Names::of("inside.example", &[&["127.0.0.1"]]));
            assert_eq!(client.send(&get(&server)).await.expect_err(&location), error, "{status}");
        }
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn names_without_address_and_ports_without_listener_are_told_apart() {
    let server = Server::saying("").await;
    let free = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address")
    };
    let known = Names::of("empty.example", &[&[]]);
    let client = client(&[free.to_string(), server.address.to_string()], known);
    for (url, message) in [
        ("http://missing.example/".to_owned(), "host missing.example was not found"),
        ("http://empty.example/".to_owned(), "host empty.example was not found"),
        (format!("http://{free}/"), "cannot connect to 127.0.0.1: connection refused"),
        (server.url("/"), "the connection to 127.0.0.1 failed: connection closed before message completed"),
    ] {
        assert_eq!(client.send(&Request::get(url.clone())).await.expect_err(&url).to_string(), message);
    }
}

#[tokio::test]
async fn other_protocols_are_dialled_under_the_same_policy() {
    let server = Server::saying("").await;
    let client = client_of(&server);
    client.dial("127.0.0.1", server.port()).await.expect("allowed");
    assert_eq!(client.dial("127.0.0.1", server.port() ^ 1).await.expect_err("another port"), blocked("127.0.0.1"));
    assert!(matches!(client.dial("a b", 25).await, Err(Error::Url { .. })));
    assert!(matches!(client.dial("missing.example", 25).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn proxies_of_the_environment_are_not_asked() {
    // Set for this process only, by the child below.
    if std::env::var_os("HEDDLE_PROXY_TEST").is_none() {
        let server = Server::saying("").await;
        let proxy = server.url("/");
        let mut child = tokio::task::spawn_blocking(move || {
            std::process::Command::new(std::env::current_exe().expect("this test"))
                .args(["policy::proxies_of_the_environment_are_not_asked", "--exact", "--quiet"])
                .env("HEDDLE_PROXY_TEST", "1")
                .envs(["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, &proxy)))
                .stdout(std::process::Stdio::null())
                .spawn()
                .expect("the child")
        })
        .await
        .expect("no panic");
        let status = tokio::task::spawn_blocking(move || child.wait().expect("its end")).await.expect("no panic");
        assert!(status.success());
        assert_eq!(server.connections(), 0);
        return;
    }
    let server = Server::saying(reply(200, "", "direct")).await;
    assert_eq!(client_of(&server).send(&get(&server)).await.expect("direct").text(), "direct");
}
