use super::*;
use crate::tls::tests::{client, identity};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// How a server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Offers STARTTLS.
    Good,
    /// Does not.
    Open,
    /// Knows nobody.
    Strict,
    /// Refuses the recipient.
    Full,
    /// Never ends its first line.
    Endless,
    /// Speaks something else.
    Other,
}

/// Serves one connection; what it was told, when it is over.
async fn server(kind: Kind, name: &str) -> (u16, CertificateDer<'static>, tokio::task::JoinHandle<String>) {
    let (config, root) = identity(name);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        match kind {
            Kind::Other => drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await),
            Kind::Endless => while stream.write_all(&[b'2'; 4096]).await.is_ok() {},
            _ => {
                stream.write_all(b"220 here\r\n").await.expect("a greeting");
                let told = talk(&mut stream, kind, false).await;
                if told.ends_with("STARTTLS\r\n") {
                    let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return told };
                    return talk(&mut stream, kind, true).await;
                }
                return told;
            }
        }
        String::new()
    });
    (port, root, served)
}

async fn talk(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), kind: Kind, is_private: bool) -> String {
    let (mut told, mut is_text) = (String::new(), false);
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return told;
        }
        told.push_str(&line);
        let answer = match line.split([' ', '\r']).next().unwrap_or_default() {
            "." => {
                is_text = false;
                "250 taken\r\n"
            }
            _ if is_text => continue,
            "EHLO" if is_private => "250-here\r\n250 AUTH PLAIN\r\n",
            "EHLO" if kind == Kind::Open => "250 here\r\n",
            "EHLO" => "250-here\r\n250 STARTTLS\r\n",
            "AUTH" if kind == Kind::Strict => "535 5.7.8 who are you\r\n",
            "AUTH" => "235 welcome\r\n",
            "RCPT" if kind == Kind::Full => "552 5.2.2 full\r\n",
            "DATA" => {
                is_text = true;
                "354 go on\r\n"
            }
            "STARTTLS" => "220 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || told.ends_with("STARTTLS\r\n") {
            return told;
        }
    }
}

fn letter(port: u16) -> Letter<'static> {
    Letter {
        host: "mail.example",
        port,
        username: "ada@mail.example",
        password: "hunter2",
        to: "bob@there.example",
        subject: "Höhe\r\nBcc: eve@there.example",
        text: "Hello\n.\nBob".to_owned(),
    }
}

#[tokio::test]
async fn a_letter_goes_out_once_the_connection_is_private() {
    let (port, root, served) = server(Kind::Good, "mail.example").await;
    client(port, vec![root]).post(letter(port)).await.expect("taken");
    let told = served.await.expect("a talk");
    assert!(told.contains("AUTH PLAIN"), "{told}");
    for line in ["MAIL FROM:<ada@mail.example>", "RCPT TO:<bob@there.example>", "From: ada@mail.example", "\r\n..\r\n"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    // A subject is one line, whatever it holds.
    assert!(!told.contains("\r\nBcc:") && !told.contains("RCPT TO:<eve"), "{told}");
}

#[tokio::test]
async fn nothing_that_matters_is_said_in_clear() {
    for (kind, name) in [(Kind::Open, "mail.example"), (Kind::Good, "other.example")] {
        let (port, root, served) = server(kind, name).await;
        let failed = client(port, vec![root]).post(letter(port)).await.expect_err("not private");
        assert!(matches!(failed, LetterError::Private { .. }), "{failed}");
        let told = served.await.expect("a talk");
        assert!(!told.contains("AUTH") && !told.contains("MAIL"), "{told}");
    }
    let (port, _, _served) = server(Kind::Good, "mail.example").await;
    let failed = client(port, Vec::new()).post(letter(port)).await.expect_err("not trusted");
    assert!(matches!(failed, LetterError::Private { .. }), "{failed}");
}

#[tokio::test]
async fn what_a_server_refuses_is_told_without_the_password() {
    for (kind, part) in [
        (Kind::Strict, "refused the user name or the password"),
        (Kind::Full, "full"),
        (Kind::Endless, "did not take the mail"),
        (Kind::Other, "did not take the mail"),
    ] {
        let (port, root, _served) = server(kind, "mail.example").await;
        let text = client(port, vec![root]).post(letter(port)).await.expect_err("refused").to_string();
        assert!(text.contains(part) && text.contains("mail.example") && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn addresses_are_read_and_judged_before_anything_is_sent() {
    let (port, root, _served) = server(Kind::Good, "mail.example").await;
    let client = client(port, vec![root]);
    for to in ["", "bob", "bob@there.example>, <eve@there.example", "a b@c"] {
        let failed = client.post(Letter { to, ..letter(port) }).await;
        assert_eq!(failed, Err(LetterError::Address(to.to_owned())));
    }
    let failed = client.post(letter(port.wrapping_add(1))).await;
    assert!(matches!(failed, Err(LetterError::Unreached(Error::Blocked { .. }))), "{failed:?}");
}
