//! Sends a mail through a server that the account has a name and a password for.

use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::credentials::Material;
use crate::number;
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_model::{Object, Value};
use heddle_outbound::Letter;

pub(crate) const BLOCK: Block = Block {
    id: "4335878a-394e-4e67-adf2-919877ff49ae",
    effect: |_| Effect::Unsafe,
    slow: never,
    run: Run::Work { provider, work },
};

/// The ports at which mail servers take mail from people.
const PORTS: [u16; 4] = [25, 465, 587, 2525];

fn server(config: &Value) -> Option<String> {
    Some(config.get("smtp_server")?.as_str()?.trim().to_ascii_lowercase())
}

fn provider(input: &Object) -> Option<String> {
    server(input.get("config")?)
}

fn work<'a>(input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(send(input, cx, ports, out))
}

async fn send(mut input: Input, cx: &Cx, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let client = ports.client()?;
    let config = input.take("config");
    let host = server(&config).unwrap_or_default();
    let port = config.get("smtp_port").map_or(Some(25), number::integer).and_then(|port| u16::try_from(port).ok());
    let port =
        port.filter(|port| PORTS.contains(port)).ok_or_else(|| refuse("smtp_port must be 25, 465, 587 or 2525"))?;
    let credential = ports.credential(&input.take("credentials"), cx).await?;
    let Material::UserPassword { username, password } = credential.material else {
        return Err(refuse("Invalid credentials: a user name and a password are expected"));
    };
    let (to, subject, text) = (input.text("to_email"), input.text("subject"), input.text("body"));
    let letter = Letter {
        host: &host,
        port,
        username: username.expose(),
        password: password.expose(),
        to: &to,
        subject: &subject,
        text,
    };
    client.post(letter).await.map_err(|error| refuse(error.to_string()))?;
    out.emit("status", format!("the mail to {to} was sent")).await
}
