//! The same thing many times at once: it happens once.

use crate::bed::{Bed, Tally, Wire};
use futures::future::join_all;

const AT_ONCE: usize = 8;

/// How many of the same requests at once got tokens.
async fn winners(bed: &Bed, wire: &Wire) -> usize {
    let replies = join_all((0..AT_ONCE).map(|turn| {
        let wire = Wire { is_json: turn % 2 == 1, ..wire.clone() };
        async move { bed.send(&wire).await.said() }
    }));
    replies.await.iter().filter(|said| *said == "200 tokens").count()
}

pub async fn attacks() -> Tally {
    let (bed, mut tally) = (Bed::new().await, Tally::new("races"));
    for round in 0..8 {
        let wire = bed.exchange(&bed.code().await);
        let won = winners(&bed, &wire).await;
        tally.row(&format!("a code {AT_ONCE} times at once, round {round}"), &won.to_string(), "1");
        let tokens = bed.tokens().await;
        let wire = bed.refresh(tokens["refresh_token"].as_str().unwrap());
        let won = winners(&bed, &wire).await;
        tally.row(&format!("a refresh token {AT_ONCE} times at once, round {round}"), &won.to_string(), "1");
    }
    for round in 0..4 {
        // A refresh beside its own revocation: whoever is first, nothing is left afterwards.
        let tokens = bed.tokens().await;
        let refresh = bed.refresh(tokens["refresh_token"].as_str().unwrap());
        let mut revoke = refresh.clone();
        revoke.path = "/api/oauth/revoke".to_owned();
        revoke.set("token", tokens["refresh_token"].as_str().unwrap());
        let (refreshed, _) = tokio::join!(bed.send(&refresh), bed.send(&revoke));
        let last = refreshed.json()["access_token"].as_str().map(str::to_owned);
        let left = match last.as_deref().or(tokens["access_token"].as_str()) {
            Some(token) => bed.me(token).await,
            None => String::new(),
        };
        tally.row(&format!("a refresh beside its revocation, round {round}"), &left, "401 Invalid token");
    }
    tally
}
