//! Who may watch over the server: whoever sits on its machine, and its operators.

use super::address::forwarded_address;
use super::credential::authenticate;
use crate::app::App;
use axum::extract::ConnectInfo;
use http::request::Parts;
use std::net::SocketAddr;

/// What proxies add for those they speak for.
const FORWARDING: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Whether this request may see what goes on here.
pub async fn may_watch(app: &App, parts: &Parts) -> bool {
    app.settings.metrics_public || is_local(parts, app.settings.trusted_proxy_count) || is_operator(app, parts).await
}

/// From this machine, and not on behalf of somebody elsewhere: a proxy beside the server makes every request look local.
/// What was forwarded is local only if the outermost proxy that is trusted says so.
fn is_local(parts: &Parts, trusted_proxies: usize) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if !peer.is_some_and(|peer| peer.to_canonical().is_loopback()) {
        return false;
    }
    let is_forwarded = FORWARDING.iter().any(|name| parts.headers.contains_key(*name));
    !is_forwarded || forwarded_address(parts, trusted_proxies).is_some_and(|client| client.to_canonical().is_loopback())
}

/// With a good key of an administrator's account, whatever its scopes. An application's token is not enough: what it may do
/// was said when it was allowed.
async fn is_operator(app: &App, parts: &Parts) -> bool {
    let Ok(caller) = authenticate(app, parts).await else { return false };
    caller.key.is_some()
        && matches!(app.platform.accounts.get(caller.user).await, Ok(Some(account)) if account.is_admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_this_machine_is_local() {
        let local = |peer: &str, header: Option<(&str, &str)>, trusted| {
            let request = http::Request::builder();
            let request = match header {
                Some((name, value)) => request.header(name, value),
                None => request,
            };
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 9)));
            is_local(&parts, trusted)
        };
        let via = |entries| Some(("x-forwarded-for", entries));
        for (peer, header, trusted, expected) in [
            ("127.0.0.1", None, 0, true),
            ("127.8.8.8", None, 1, true),
            ("::1", None, 0, true),
            ("::ffff:127.0.0.1", None, 0, true),
            ("10.0.0.1", None, 0, false),
            ("10.0.0.1", via("127.0.0.1"), 1, false),
            ("127.0.0.1", via("1.1.1.1"), 0, false),
            ("127.0.0.1", via("127.0.0.1"), 0, false),
            ("127.0.0.1", via("1.1.1.1"), 1, false),
            ("127.0.0.1", via("127.0.0.1, 1.1.1.1"), 1, false),
            ("127.0.0.1", via("1.1.1.1, 127.0.0.1"), 1, true),
            ("127.0.0.1", via("127.0.0.1"), 2, false),
            ("127.0.0.1", via("nonsense"), 1, false),
            ("127.0.0.1", Some(("forwarded", "for=127.0.0.1")), 1, false),
            ("127.0.0.1", Some(("x-real-ip", "127.0.0.1")), 0, false),
        ] {
            assert_eq!(local(peer, header, trusted), expected, "{peer} {header:?} {trusted}");
        }
    }
}
