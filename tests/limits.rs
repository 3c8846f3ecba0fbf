//! Limits go on after a restart, within their minute.

use crate::support::{Answer, Client, Heddle, Server};

fn told(answer: &Answer) -> (u16, String, String) {
    let header = |name| answer.header(name).to_owned();
    (answer.status, header("x-ratelimit-remaining"), header("x-ratelimit-reset"))
}

#[test]
fn a_restart_within_the_minute_gives_nobody_another_try() {
    let heddle = Heddle::new();
    let start = || Server::start_with(&heddle, &["--set", "limits.requests=5"]);
    // Should a minute end in between, all begins anew.
    loop {
        let server = start();
        let key = heddle.key();
        let ask =
            |server: &Server, key: &str| Client::new(&server.address, Some(key.to_owned())).get("/external-api/v1/me");
        let (me, guess) = (|server: &Server| ask(server, &key), |server: &Server| ask(server, "agpt_guess"));
        let (status, remaining, reset) = told(&me(&server));
        assert_eq!((status, remaining.as_str()), (200, "4"));
        me(&server);
        for _ in 0..30 {
            guess(&server);
        }
        let guessed = guess(&server).status;
        server.stop();
        let server = start();
        let after = guess(&server).status;
        let (status, remaining, until) = told(&me(&server));
        if reset != until {
            continue;
        }
        assert_eq!((guessed, after), (429, 429));
        assert_eq!((status, remaining.as_str()), (200, "2"));
        return;
    }
}
