//! Asks a web server with the headers that somebody keeps for its host, and hands on what it answers.
//!
//! They go along only where the credential's host covers the URL, and a redirect to another origin drops them.

use super::send_request::{self, effect, failed, provider};
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::credentials::Material;
use crate::registry::Ports;
use heddle_connectors::HostPattern;
use heddle_outbound::Request;

pub(crate) const BLOCK: Block =
    Block { id: "fff86bcd-e001-4bad-a7f6-2eae4720c8dc", effect, slow: never, run: Run::Work { provider, work } };

fn work<'a>(input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(send(input, cx, ports, out))
}

async fn send(mut input: Input, cx: &Cx, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let client = ports.client()?;
    let credential = ports.credential(&input.take("credentials"), cx).await?;
    let Material::HostScoped { host, headers } = credential.material else {
        return Err(refuse("Invalid credentials: headers for a host are expected"));
    };
    let (mut request, named) = send_request::read(&mut input, cx)?;
    let goes_there = HostPattern::parse(&host).is_some_and(|host| covers(&host, &request));
    for (name, value) in headers.iter().filter(|_| goes_there) {
        if !named.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            request = request.secret_header(name, value.expose()).map_err(failed)?;
        }
    }
    // One attempt: a server that is in trouble is an answer too, and a second request might be felt.
    let answer = client.send(&request).await.map_err(failed)?;
    let (pin, value) = send_request::answered(&request, &answer)?;
    out.emit(pin, value).await
}

fn covers(host: &HostPattern, request: &Request) -> bool {
    // A URL that cannot be read is refused when the request is sent.
    request.target().is_ok_and(|url| host.covers(&url))
}
