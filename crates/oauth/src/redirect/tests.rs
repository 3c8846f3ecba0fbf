use super::*;

/// `auth.md` 12.5 and 12.8; RFC 6749, 3.1.2; RFC 8252, 7.
#[test]
fn only_addresses_that_are_safe_to_send_people_to_are_registered() {
    for good in [
        "https://app.example.org",
        "https://app.example.org/cb",
        "https://app.example.org:8443/cb?tenant=1&x=%20",
        "https://xn--bcher-kva.example/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:8080/cb",
        "http://[::1]/cb",
        "http://localhost:3000/api/auth/callback/heddle",
        "http://app.localhost/cb",
        "com.example.app:/cb",
        "com.example.app://cb",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "myapp://",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for (bad, why) in [
        ("", Unfit::Length),
        ("/cb", Unfit::Relative),
        ("app.example.org/cb", Unfit::Relative),
        ("//app.example.org/cb", Unfit::Relative),
        ("https:app.example.org", Unfit::Relative),
        ("https:/app.example.org", Unfit::Relative),
        ("https:///app.example.org", Unfit::Relative),
        ("HTTPS://app.example.org/cb", Unfit::Relative),
        ("https://", Unfit::Relative),
        ("com.example.app:", Unfit::Relative),
        ("https://app.example.org/cb#x", Unfit::Fragment),
        ("https://app.example.org/cb#", Unfit::Fragment),
        ("http://app.example.org/cb", Unfit::Plain),
        ("http://127.0.0.1.example.org/cb", Unfit::Plain),
        ("http://10.0.0.1/cb", Unfit::Plain),
        ("http://0.0.0.0/cb", Unfit::Plain),
        ("javascript:alert(1)", Unfit::Scheme),
        ("JavaScript:alert(1)", Unfit::Scheme),
        ("java\tscript:alert(1)", Unfit::Characters),
        ("data:text/html,hi", Unfit::Scheme),
        ("vbscript:x", Unfit::Scheme),
        ("file:///etc/passwd", Unfit::Scheme),
        ("blob:https://app.example.org/1", Unfit::Scheme),
        ("view-source:https://app.example.org", Unfit::Scheme),
        ("intent://scan/#Intent;end", Unfit::Fragment),
        ("intent://scan/", Unfit::Scheme),
        ("about:blank", Unfit::Scheme),
        ("wss://app.example.org", Unfit::Scheme),
        ("https://user@app.example.org/cb", Unfit::UserInfo),
        ("https://user:pw@app.example.org/cb", Unfit::UserInfo),
        ("https://agents.example.org:443@evil.example/cb", Unfit::UserInfo),
        ("https://*.example.org/cb", Unfit::Host),
        ("https://a;sandbox/cb", Unfit::Host),
        ("https://a,default-src/cb", Unfit::Host),
        ("https://a$b.example/cb", Unfit::Host),
        ("https://app.example.org\\@evil.example/cb", Unfit::Characters),
        ("https://app.example.org/a b", Unfit::Characters),
        ("https://app.example.org/\n", Unfit::Characters),
        ("https://bücher.example/cb", Unfit::Characters),
        ("https://app.example.org/<script>", Unfit::Characters),
        ("https://app.example.org/cb?code=1", Unfit::Answer),
        ("https://app.example.org/cb?a=b&st%61te=1", Unfit::Answer),
        ("https://app.example.org/cb?iss=https://other", Unfit::Answer),
    ] {
        assert_eq!(check(bad), Err(why), "{bad}");
    }
    assert_eq!(check(&format!("https://a.example/{}", "x".repeat(LONGEST))), Err(Unfit::Length));
}

/// `auth.md` 5.1: byte for byte, no wildcard, no normalisation.
#[test]
fn a_request_must_spell_the_address_as_registered() {
    let registered = "https://app.example.org/cb?t=1";
    assert!(is_same(registered, registered));
    for other in [
        "https://app.example.org/cb",
        "https://app.example.org/cb?t=1&x=2",
        "https://app.example.org/cb?t=2",
        "https://app.example.org/cb/?t=1",
        "https://app.example.org/cb?t=1#x",
        "https://app.example.org/CB?t=1",
        "https://APP.example.org/cb?t=1",
        "https://app.example.org:443/cb?t=1",
        "https://app.example.org/./cb?t=1",
        "https://app.example.org/x/../cb?t=1",
        "https://app.example.org/%63b?t=1",
        "https://app.example.org.evil.example/cb?t=1",
        "https://app.example.org@evil.example/cb?t=1",
        "http://app.example.org/cb?t=1",
        " https://app.example.org/cb?t=1",
        "https://app.example.org/cb?t=1\0",
        "",
    ] {
        assert!(!is_same(registered, other), "{other}");
    }
}

/// RFC 8252, 7.3; `auth.md` 12.1: any port, where none was registered, on the two loopback addresses only.
#[test]
fn a_loopback_address_without_a_port_takes_any() {
    for (registered, presented, same) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1/cb", true),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
        ("http://127.0.0.1", "http://127.0.0.1:1", true),
        ("http://127.0.0.1?a=1", "http://127.0.0.1:65535?a=1", true),
        ("http://[::1]/cb", "http://[::1]:51004/cb", true),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:+80/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80/cb/x", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80.evil.example/cb", false),
        ("http://127.0.0.1/cb", "https://127.0.0.1:80/cb", false),
        ("http://127.0.0.1/cb", "http://[::1]:80/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.2:80/cb", false),
        ("http://127.0.0.1/cb", "http://2130706433:80/cb", false),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:8081/cb", false),
        ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1:80.evil.example/cb", false),
        ("http://localhost/cb", "http://localhost:8080/cb", false),
        ("https://127.0.0.1/cb", "https://127.0.0.1:8443/cb", false),
    ] {
        assert_eq!(is_same(registered, presented), same, "{registered} {presented}");
    }
}

/// `auth.md` 12.5: it may be left out when there is exactly one.
#[test]
fn saying_nothing_means_the_only_one() {
    let [one, two] = ["https://a.example/cb", "https://b.example/cb"].map(str::to_owned);
    let found = Redirect::find(std::slice::from_ref(&one), None).unwrap();
    assert_eq!((found.uri(), found.was_given()), ("https://a.example/cb", false));
    let both = [one, two];
    assert_eq!(Redirect::find(&both, None), None);
    assert!(Redirect::find(&both, Some("https://b.example/cb")).unwrap().was_given());
    assert_eq!(Redirect::find(&both, Some("")), None);
    assert_eq!(Redirect::find(&[], None), None);
}

/// `auth.md` 12.10, 7: an imported row may say anything, and still nothing runs.
#[test]
fn what_runs_something_is_never_a_target() {
    for uri in
        ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "https://a.example/\r\nX: y", "nonsense"]
    {
        assert_eq!(Redirect::find(&[uri.to_owned()], Some(uri)), None, "{uri}");
        assert_eq!(Redirect::find(&[uri.to_owned()], None), None, "{uri}");
    }
    let oob = "urn:ietf:wg:oauth:2.0:oob".to_owned();
    assert!(Redirect::find(std::slice::from_ref(&oob), None).is_none(), "nothing can be appended to it");
}

/// `auth.md` 11.7, 12.10, 8.
#[test]
fn answers_are_appended_to_what_was_registered() {
    for (uri, answer) in [
        ("https://a.example", "https://a.example?code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/cb", "https://a.example/cb?code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/cb?", "https://a.example/cb?code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/cb?t=1", "https://a.example/cb?t=1&code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/cb?t=1&", "https://a.example/cb?t=1&code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/cb#f", "https://a.example/cb?code=a%2Bb+c&state=%26%3D#f"),
        ("com.example.app:/cb", "com.example.app:/cb?code=a%2Bb+c&state=%26%3D"),
        ("https://a.example/%7euser/../x", "https://a.example/%7euser/../x?code=a%2Bb+c&state=%26%3D"),
    ] {
        let redirect = Redirect::find(&[uri.to_owned()], Some(uri)).unwrap();
        assert_eq!(redirect.with([("code", "a+b c"), ("state", "&=")]), answer);
    }
    let redirect = Redirect::find(&["https://a.example/".to_owned()], None).unwrap();
    let split = redirect.with([("state", "x\r\nSet-Cookie: a=b"), ("error_description", "ü<script>")]);
    assert_eq!(split, "https://a.example/?state=x%0D%0ASet-Cookie%3A+a%3Db&error_description=%C3%BC%3Cscript%3E");
}

/// Issue 5: the consent page names where it leads, and its policy must let the redirect through.
#[test]
fn the_page_can_say_where_it_leads() {
    for (uri, shown, action, claimed) in [
        ("https://a.example/cb", "a.example", "https://a.example", true),
        ("https://a.example:8443/cb?x", "a.example:8443", "https://a.example:8443", true),
        ("http://127.0.0.1:5000/cb", "127.0.0.1:5000", "http://127.0.0.1:5000", false),
        ("http://[::1]:5000/cb", "[::1]:5000", "http:", false),
        ("com.example.app:/cb", "com.example.app:", "com.example.app:", false),
        // An imported row that would not be registered here.
        ("https://a;sandbox/cb", "a;sandbox", "https:", true),
    ] {
        let redirect = Redirect::find(&[uri.to_owned()], Some(uri)).unwrap();
        assert_eq!((redirect.shown().as_str(), redirect.form_action().as_str()), (shown, action));
        assert_eq!(redirect.is_claimed(), claimed, "{uri}");
    }
}
