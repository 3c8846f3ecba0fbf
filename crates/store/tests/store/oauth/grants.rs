use crate::bed::{Bed, NOON, noon_and, person};
use crate::oauth::{client, grant, pair, refresh_digest, with_app};
use heddle_model::FamilyId;
use heddle_oauth::family::Ended;
use heddle_oauth::{Family, Parameters, Pushed};
use heddle_store::{NewGrant, Swept};

#[tokio::test]
async fn a_code_comes_back_with_all_that_it_is_judged_by() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let new = grant(&app, ada, 1, "RUN_AGENT openid");
        let new = NewGrant {
            family: Family {
                resources: vec!["https://agents.example.org/mcp".to_owned()],
                ends_at: Some(noon_and(99)),
                ..new.family
            },
            ..new
        };
        assert!(bed.store.grant(new.clone()).await.unwrap());
        let held = bed.store.code(new.code.digest).await.unwrap().unwrap();
        assert_eq!((&held.item, &held.family, &held.client), (&new.code, &new.family, &app));
        assert!(held.account.id == ada.id && held.judged().1.user_is_enabled);
        bed.store.set_account_disabled(ada.id, Some(NOON)).await.unwrap();
        let held = bed.store.code(new.code.digest).await.unwrap().unwrap();
        assert!(!held.judged().1.user_is_enabled);
        assert_eq!(bed.store.code(pair(&new.family, &app, 9, NOON).access.digest).await.unwrap(), None);
        let nobodys = grant(&app, person(9), 2, "RUN_AGENT");
        assert!(!bed.store.grant(nobodys).await.unwrap());
    }
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let new = grant(&app, ada, 1, "RUN_AGENT");
        bed.store.grant(new.clone()).await.unwrap();
        let (first, second) = (pair(&new.family, &app, 1, noon_and(5)), pair(&new.family, &app, 2, noon_and(5)));
        let digest = new.code.digest;
        let (one, other) = tokio::join!(
            bed.store.redeem_code(digest, &first, noon_and(5)),
            bed.store.redeem_code(digest, &second, noon_and(5))
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert!(one != other, "exactly one wins");
        let (won, lost) = if one { (&first, &second) } else { (&second, &first) };
        let held = bed.store.access_token(won.access.digest).await.unwrap().unwrap();
        assert_eq!(held.item, won.access);
        assert_eq!(held.family, Family { last_used_at: noon_and(5), expires_at: won.family_expires_at, ..new.family });
        let kept = bed.store.refresh_token(refresh_digest(won)).await.unwrap().unwrap();
        assert_eq!(kept.item, won.refresh.as_ref().unwrap().0);
        assert_eq!(bed.store.access_token(lost.access.digest).await.unwrap(), None);
        assert_eq!(bed.store.refresh_token(refresh_digest(lost)).await.unwrap(), None);
        assert_eq!(bed.store.code(digest).await.unwrap().unwrap().item.used_at, Some(noon_and(5)));
    }
}

#[tokio::test]
async fn a_refresh_token_is_replaced_once() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let new = grant(&app, ada, 1, "RUN_AGENT");
        bed.store.grant(new.clone()).await.unwrap();
        let first = pair(&new.family, &app, 1, NOON);
        bed.store.redeem_code(new.code.digest, &first, NOON).await.unwrap();
        let digest = refresh_digest(&first);
        let [a, b] = [2, 3].map(|number| pair(&new.family, &app, number, noon_and(60)));
        let (one, other) = tokio::join!(
            bed.store.rotate_refresh_token(digest, &a, noon_and(60)),
            bed.store.rotate_refresh_token(digest, &b, noon_and(60))
        );
        assert!(one.unwrap() != other.unwrap(), "exactly one wins");
        let held = bed.store.refresh_token(digest).await.unwrap().unwrap();
        assert_eq!(held.item.rotated_at, Some(noon_and(60)));
        assert_eq!(held.family.last_used_at, noon_and(60));
        let mut left = 0;
        for pair in [&a, &b] {
            left += usize::from(bed.store.access_token(pair.access.digest).await.unwrap().is_some());
        }
        assert_eq!(left, 1);
    }
}

#[tokio::test]
async fn nothing_comes_of_a_family_that_has_ended() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let new = grant(&app, ada, 1, "RUN_AGENT");
        bed.store.grant(new.clone()).await.unwrap();
        let id = new.family.id;
        assert!(bed.store.end_family(id, noon_and(1), Ended::CodeReplayed).await.unwrap());
        assert!(!bed.store.end_family(id, noon_and(2), Ended::ByPerson).await.unwrap());
        assert!(!bed.store.end_family(FamilyId::from_random([9; 16]), NOON, Ended::ByPerson).await.unwrap());
        let late = pair(&new.family, &app, 1, noon_and(3));
        assert!(!bed.store.redeem_code(new.code.digest, &late, noon_and(3)).await.unwrap());
        let held = bed.store.code(new.code.digest).await.unwrap().unwrap();
        assert_eq!(held.item.used_at, None, "all of it was undone");
        assert_eq!(held.family.ended, Some((noon_and(1), Ended::CodeReplayed)));
        assert_eq!(bed.store.access_token(late.access.digest).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_access_token_is_revoked_by_its_own_application_alone() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let other = client(None, 2);
        bed.store.insert_app(other.clone()).await.unwrap();
        let new = grant(&app, ada, 1, "RUN_AGENT");
        bed.store.grant(new.clone()).await.unwrap();
        let first = pair(&new.family, &app, 1, NOON);
        bed.store.redeem_code(new.code.digest, &first, NOON).await.unwrap();
        let digest = first.access.digest;
        assert!(!bed.store.revoke_access_token(digest, other.id, noon_and(1)).await.unwrap());
        assert!(bed.store.revoke_access_token(digest, app.id, noon_and(2)).await.unwrap());
        assert!(!bed.store.revoke_access_token(digest, app.id, noon_and(3)).await.unwrap());
        let held = bed.store.access_token(digest).await.unwrap().unwrap();
        assert_eq!((held.item.revoked_at, held.family.ended), (Some(noon_and(2)), None));
    }
}

#[tokio::test]
async fn what_was_allowed_gathers_and_is_forgotten_when_it_is_taken_back() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let bob = bed.account(2).await;
        assert_eq!(bed.store.consent(ada.id, app.id).await.unwrap(), None);
        for (number, person, scope) in [(1, ada, "RUN_AGENT"), (2, ada, "openid RUN_AGENT"), (3, bob, "IDENTITY")] {
            assert!(bed.store.grant(grant(&app, person, number, scope)).await.unwrap());
        }
        let unasked = NewGrant { remembered: None, ..grant(&app, ada, 4, "IDENTITY") };
        assert!(bed.store.grant(unasked).await.unwrap());
        let consent = bed.store.consent(ada.id, app.id).await.unwrap().unwrap();
        assert_eq!(consent.scopes.to_string(), "RUN_AGENT openid");
        let ended = bed.store.end_grants(ada.id, app.id, noon_and(5), Ended::ByPerson).await.unwrap();
        assert_eq!(ended.len(), 3);
        assert_eq!(bed.store.end_grants(ada.id, app.id, noon_and(6), Ended::ByPerson).await.unwrap(), []);
        assert_eq!(bed.store.consent(ada.id, app.id).await.unwrap(), None);
        assert_eq!(bed.store.grants(ada.id, NOON).await.unwrap(), []);
        assert!(bed.store.consent(bob.id, app.id).await.unwrap().is_some());
        assert_eq!(bed.store.grants(bob.id, NOON).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_pushed_request_is_opened_and_used_once() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        let parameters = Parameters::from_iter([("scope", "RUN_AGENT"), ("state", "\u{1f9f5} \0")]);
        let (new, name) = Pushed::new(app.id, &parameters, [1; 32], NOON);
        bed.store.push(new.clone()).await.unwrap();
        assert_eq!(bed.store.pushed(name.digest()).await.unwrap(), Some(new.clone()));
        for seconds in [4, 5] {
            bed.store.open_pushed(new.digest, noon_and(seconds)).await.unwrap();
        }
        assert_eq!(bed.store.pushed(new.digest).await.unwrap().unwrap().opened_at, Some(noon_and(4)));
        let allowed = |number| NewGrant { pushed: Some(new.digest), ..grant(&app, ada, number, "RUN_AGENT") };
        let (one, other) = tokio::join!(bed.store.grant(allowed(1)), bed.store.grant(allowed(2)));
        assert!(one.unwrap() != other.unwrap(), "exactly one wins");
        assert_eq!(bed.store.grants(ada.id, NOON).await.unwrap().len(), 1);
        assert!(!bed.store.use_pushed(new.digest, noon_and(9)).await.unwrap());
        let (denied, _) = Pushed::new(app.id, &parameters, [2; 32], NOON);
        bed.store.push(denied.clone()).await.unwrap();
        assert!(bed.store.use_pushed(denied.digest, noon_and(9)).await.unwrap());
        assert!(!bed.store.grant(NewGrant { pushed: Some(denied.digest), ..allowed(3) }).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_over_is_swept_a_little_at_a_time() {
    for bed in Bed::each() {
        let (ada, app) = with_app(&bed).await;
        for number in 1..=5 {
            let new = grant(&app, ada, number, "RUN_AGENT");
            bed.store.grant(new.clone()).await.unwrap();
            if number <= 2 {
                let pair = pair(&new.family, &app, number, NOON);
                assert!(bed.store.redeem_code(new.code.digest, &pair, NOON).await.unwrap());
            }
        }
        let (old, _) = Pushed::new(app.id, &Parameters::default(), [1; 32], NOON);
        bed.store.push(old.clone()).await.unwrap();
        const HOUR: i64 = 3_600;
        let sweep = async |seconds: i64, most| bed.store.sweep_oauth(noon_and(seconds), most).await.unwrap();
        assert_eq!(sweep(900, 10).await, Swept { rows: 0, is_over: true });
        assert_eq!(sweep(991, 10).await, Swept { rows: 1, is_over: true });
        assert_eq!(bed.store.pushed(old.digest).await.unwrap(), None);
        assert_eq!(sweep(2 * HOUR + 1, 2).await, Swept { rows: 2, is_over: false });
        assert_eq!(sweep(2 * HOUR + 1, 2).await, Swept { rows: 0, is_over: true });
        // The three whose code was never redeemed.
        assert_eq!(sweep(25 * HOUR, 10).await, Swept { rows: 3, is_over: true });
        assert_eq!(bed.store.grants(ada.id, NOON).await.unwrap().len(), 2);
        // The refresh tokens' thirty days, and a day more for their families.
        assert_eq!(sweep(30 * 24 * HOUR + 1, 10).await, Swept { rows: 2, is_over: true });
        assert_eq!(sweep(31 * 24 * HOUR + 1, 10).await, Swept { rows: 2, is_over: true });
        assert_eq!(bed.store.grants(ada.id, NOON).await.unwrap(), []);
        assert!(bed.store.consent(ada.id, app.id).await.unwrap().is_some(), "what was allowed is remembered");
    }
}
