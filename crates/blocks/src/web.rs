//! Blocks that talk to web and mail servers.

mod body;
pub(crate) mod read_feed;
pub(crate) mod send_authenticated;
pub(crate) mod send_email;
pub(crate) mod send_request;
pub(crate) mod wikipedia;

/// The host of a URL as it is written.
fn host(url: &str) -> Option<String> {
    let url = url.trim();
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    url::Url::parse(&url).ok()?.host_str().map(str::to_ascii_lowercase)
}
