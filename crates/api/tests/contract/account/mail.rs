//! New passwords by mail, through a mail server of the test's own.

use super::browser::{Browser, ORIGIN, PASSWORD, account, text};
use crate::testbed::Testbed;
use heddle_api::{ApiSettings, RESET_PATH};
use heddle_platform::{Mail, Mailer, Options, SignIn};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(60);

/// A mail server that takes everything: its address, and the mails as they came.
async fn mail_server() -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let (mails, taken) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (read, mut write) = stream.split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 here\r\n").await.unwrap();
            let (mut mail, mut is_data) = (String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match (is_data, line.as_str()) {
                    (true, ".") => {
                        is_data = false;
                        mails.send(std::mem::take(&mut mail)).unwrap();
                        "250 taken\r\n"
                    }
                    (true, line) => {
                        mail.push_str(line);
                        mail.push('\n');
                        continue;
                    }
                    (false, "DATA") => {
                        is_data = true;
                        "354 go on\r\n"
                    }
                    (false, "QUIT") => break,
                    (false, _) => "250 ok\r\n",
                };
                write.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (address, taken)
}

async fn server() -> (Testbed, UnboundedReceiver<String>) {
    let (address, mails) = mail_server().await;
    let mailer = Mailer::new(&address, "Heddle <heddle@example.org>").unwrap();
    let mail = Some(Mail { mailer, reset_url: format!("{ORIGIN}{RESET_PATH}") });
    let settings = ApiSettings { public_url: Some(ORIGIN.to_owned()), ..ApiSettings::default() };
    let options = Options { sign_in: SignIn { is_open: false, mail }, ..Options::default() };
    (Testbed::opened(settings, options).await, mails)
}

/// The path of the link in the next mail.
async fn link(mails: &mut UnboundedReceiver<String>) -> String {
    let mail = timeout(LONG, mails.recv()).await.unwrap().unwrap();
    assert!(mail.contains("Subject: Set a new password") && mail.contains("To: ada@example.org"), "{mail}");
    // Long lines are folded with an equals sign, and equals signs are written out.
    let mail = mail.replace("=\n", "").replace("=3D", "=");
    let at = mail.find(ORIGIN).unwrap() + ORIGIN.len();
    mail[at..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_and_signs_in_here_and_out_elsewhere() {
    let (bed, mut mails) = server().await;
    let mut there = Browser::of(&bed, "ada").await;
    let mut here = Browser::new(&bed);
    let asked = here.post("/reset-password", &[("email", " ADA@example.org ")]).await;
    assert_eq!(asked.status, 200);
    let path = link(&mut mails).await;
    assert!(path.starts_with(RESET_PATH), "{path}");
    assert!(here.page(&path).await.contains("Set the password"));
    assert!(there.is_in().await, "looking at the link changes nothing");

    let token = path.trim_start_matches(RESET_PATH);
    let set = |password| [("token", token), ("password", password)];
    assert_eq!(here.post("/reset-password/set", &set("short")).await.status, 422);
    let done = here.post("/reset-password/set", &set("another password")).await;
    assert_eq!(done.header("location"), "/settings/security?said=password-set");
    assert!(here.is_in().await && !there.is_in().await);

    assert_eq!(Browser::new(&bed).get(&path).await.status, 404);
    let again = Browser::new(&bed).post("/reset-password/set", &set("a third password")).await;
    assert_eq!(again.status, 404);
    let old = there.post("/login", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(old.status, 422);
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_there_is_an_account() {
    let (bed, mut mails) = server().await;
    account(&bed, "ada", false).await;
    account(&bed, "bob", false).await;
    bed.platform.accounts.disable("bob@example.org").await.unwrap();
    let mut browser = Browser::new(&bed);
    browser.page("/reset-password").await;
    let mut answers = Vec::new();
    for email in ["eve@example.org", "bob@example.org", "nonsense", "", "ada@example.org"] {
        let answer = browser.post("/reset-password", &[("email", email)]).await;
        answers.push((answer.status, text(&answer)));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    link(&mut mails).await;
    assert!(mails.try_recv().is_err(), "nobody else got mail");
}

#[tokio::test]
async fn nobody_is_flooded_and_nobody_floods() {
    let (bed, mut mails) = server().await;
    account(&bed, "ada", false).await;
    let mut browser = Browser::new(&bed);
    for _ in 0..10 {
        assert_eq!(browser.post("/reset-password", &[("email", "ada@example.org")]).await.status, 200);
    }
    let refused = browser.post("/reset-password", &[("email", "ada@example.org")]).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    for _ in 0..3 {
        link(&mut mails).await;
    }
    assert!(mails.try_recv().is_err());
}

#[tokio::test]
async fn without_a_mail_server_the_operators_command_is_named() {
    let bed = super::browser::server().await;
    let mut browser = Browser::new(&bed);
    assert!(browser.page("/reset-password").await.contains("heddle user password"));
    assert_eq!(browser.post("/reset-password", &[("email", "ada@example.org")]).await.status, 422);
}
