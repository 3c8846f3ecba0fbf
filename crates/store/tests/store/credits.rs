//! Wallets: what frames take from them, and what people and refills put in.

use crate::bed::{Bed, NOON, noon_and, opening, output, person, row, run_id};
use heddle_engine::credits::{Charge, Wallet};
use heddle_engine::journal::Frame;
use heddle_model::{Status, Time};
use heddle_store::{CreditNotice, CreditRecord, Error, NewCredit, Refill};

fn refill(period: i64) -> Refill {
    Refill { period, upto: 1500, key: format!("refill-{period}"), at: noon_and(period) }
}

fn grant(key: &str, amount: i64) -> NewCredit {
    let description = Some("for testing".to_owned());
    NewCredit { key: key.to_owned(), kind: "GRANT", amount, at: noon_and(60), description, is_owed: false }
}

fn charge(amount: u64, counted: u64, since: Time) -> Option<Charge> {
    Some(Charge { amount, counted, since })
}

#[tokio::test]
async fn a_frame_takes_what_it_charges_in_its_own_commit() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.refilled_wallet(ada.id, refill(1)).await.unwrap();
        bed.store.refilled_wallet(bob.id, refill(1)).await.unwrap();
        let first = Frame { charge: charge(5, 2, NOON), ..opening(ada, run_id(1)) };
        bed.append(vec![first.clone()]).await.unwrap();
        let next = Frame {
            first: 1,
            opening: None,
            entries: vec![output("more")],
            row: row(Status::Running),
            charge: charge(7, 9, NOON),
            ..first.clone()
        };
        bed.append(vec![next.clone()]).await.unwrap();
        // Neither is taken again.
        assert!(bed.append(vec![first]).await.is_err());
        assert!(bed.append(vec![next]).await.is_err());
        let free = Frame { charge: charge(0, 11, NOON), ..opening(ada, run_id(2)) };
        bed.append(vec![free]).await.unwrap();

        let wallet = bed.store.wallet(ada.id).await.unwrap().unwrap();
        assert_eq!((wallet.balance, wallet.counted, wallet.since), (1488, 11, NOON));
        assert_eq!(bed.store.wallet(bob.id).await.unwrap().unwrap().balance, 1500);
        let used = bed.store.credits(ada.id, Some("USAGE"), None, 9).await.unwrap();
        let [used] = &used[..] else { panic!("{used:?}") };
        let graph = opening(ada, run_id(1)).opening.unwrap().graph;
        assert_eq!((used.amount, used.run, used.graph), (-12, Some(run_id(1)), Some(graph)));
    }
}

#[tokio::test]
async fn a_day_of_counting_is_never_gone_back_to() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.store.refilled_wallet(ada.id, refill(1)).await.unwrap();
        for (number, counted, since) in [(1, 90, NOON), (2, 80, NOON), (3, 3, noon_and(90_000)), (4, 95, NOON)] {
            let frame = Frame { charge: charge(0, counted, since), ..opening(ada, run_id(number)) };
            bed.append(vec![frame]).await.unwrap();
            let wallet = bed.store.wallet(ada.id).await.unwrap().unwrap();
            let want = if number < 3 { (90, NOON) } else { (3, noon_and(90_000)) };
            assert_eq!((wallet.counted, wallet.since), want);
        }
    }
}

#[tokio::test]
async fn a_wallet_is_refilled_once_a_period_and_never_emptied_by_it() {
    for bed in Bed::each() {
        let ada = person(1);
        assert_eq!(bed.store.wallet(ada.id).await.unwrap(), None);
        let refilled = async |period| bed.store.refilled_wallet(ada.id, refill(period)).await.unwrap();
        assert_eq!(refilled(5).await, Wallet { balance: 1500, period: 5, refill: 1500, ..Wallet::default() });
        bed.append(vec![Frame { charge: charge(400, 1, NOON), ..opening(ada, run_id(1)) }]).await.unwrap();
        let (again, next) = (refilled(5).await, refilled(6).await);
        assert_eq!(((again.balance, again.refill), (next.balance, next.refill)), ((1100, 1500), (1500, 400)));
        bed.store.change_wallet(ada.id, grant("g", 900)).await.unwrap();
        let rich = refilled(7).await;
        assert_eq!((rich.balance, rich.refill, rich.period), (2400, 0, 7));
        let grants = bed.store.credits(ada.id, Some("GRANT"), None, 9).await.unwrap();
        let told: Vec<_> = grants.iter().map(|grant| (grant.key.as_str(), grant.amount)).collect();
        assert_eq!(told, [("g", 900), ("refill-6", 400), ("refill-5", 1500)]);
    }
}

#[tokio::test]
async fn a_change_is_made_once_for_its_key_and_takes_only_what_is_there() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        let change = async |new| bed.store.change_wallet(ada.id, new).await;
        assert_eq!(change(grant("one", 30)).await, Ok(30));
        assert_eq!(change(grant("one", 30)).await, Ok(0));
        assert_eq!(bed.store.change_wallet(bob.id, grant("one", 4)).await, Ok(4), "another's key");
        assert_eq!(change(grant("two", -31)).await, Err(Error::NotFound));
        assert_eq!(bed.store.credit(ada.id, "two").await, Ok(None), "what was refused has left nothing");
        assert_eq!(change(grant("two", -10)).await, Ok(-10));
        assert_eq!(change(NewCredit { is_owed: true, ..grant("three", -25) }).await, Ok(-25));
        assert_eq!(bed.store.wallet(ada.id).await.unwrap().unwrap().balance, -5);
        let one = CreditRecord {
            key: "one".to_owned(),
            kind: "GRANT".to_owned(),
            amount: 30,
            created_at: noon_and(60),
            description: Some("for testing".to_owned()),
            graph: None,
            run: None,
        };
        assert_eq!(bed.store.credit(ada.id, "one").await, Ok(Some(one.clone())));
        // All at the same time: by key, backwards.
        let keys = async |after, limit| {
            let page = bed.store.credits(ada.id, None, after, limit).await.unwrap();
            page.into_iter().map(|credit| credit.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(None, 2).await, ["two", "three"]);
        assert_eq!(keys(Some((noon_and(60), "three".to_owned())), 2).await, ["one"]);
    }
}

#[tokio::test]
async fn an_owner_is_told_once_until_the_wallet_is_filled() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        let notice = |number| CreditNotice {
            what: "INSUFFICIENT_FUNDS".to_owned(),
            graph: crate::bed::graph_id(number),
            balance: 2,
            created_at: NOON,
        };
        let put = async |owner, number| bed.store.put_credit_notice(owner, notice(number)).await.unwrap();
        assert!(put(ada.id, 1).await && !put(ada.id, 1).await);
        assert!(put(ada.id, 2).await && put(bob.id, 1).await);
        assert_eq!(bed.store.credit_notices(ada.id).await.unwrap(), [notice(1), notice(2)]);
        bed.store.change_wallet(ada.id, grant("g", 30)).await.unwrap();
        assert_eq!(bed.store.credit_notices(ada.id).await.unwrap(), []);
        assert!(put(ada.id, 1).await && !put(bob.id, 1).await);
    }
}
