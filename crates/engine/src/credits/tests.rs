use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// One wallet for everybody, refilled by a hundred a second.
#[derive(Default)]
struct Kept {
    wallet: Mutex<Wallet>,
    told: Mutex<Vec<(Low, i64)>>,
    reads: AtomicUsize,
}

#[async_trait]
impl Wallets for Kept {
    async fn wallet(&self, _: UserId, now: Time) -> Result<Wallet, JournalError> {
        self.reads.fetch_add(1, SeqCst);
        let mut wallet = self.wallet.lock().unwrap();
        if wallet.period < self.period(now) {
            (wallet.period, wallet.refill) = (self.period(now), 100);
            wallet.balance += 100;
        }
        Ok(*wallet)
    }

    fn period(&self, now: Time) -> i64 {
        now.0 / 1_000_000
    }

    fn tell(&self, notice: Notice) {
        self.told.lock().unwrap().push((notice.what, notice.balance));
    }
}

const NOW: Time = Time(1_000_000);

fn me() -> Spender {
    Spender { owner: UserId::from_random([1; 16]), graph: GraphId::from_random([2; 16]) }
}

async fn credits(balance: i64) -> (Credits, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    *kept.wallet.lock().unwrap() = Wallet { balance, period: 1, ..Wallet::default() };
    let credits = Credits::new(kept.clone());
    credits.open(me().owner, NOW).await.unwrap();
    (credits, kept)
}

#[tokio::test]
async fn nothing_is_spent_that_is_not_there() {
    let (credits, kept) = credits(7).await;
    assert_eq!(credits.take(me(), 5, false, NOW).map(|charge| charge.amount), Ok(5));
    let short = credits.take(me(), 5, false, NOW).unwrap_err();
    assert_eq!(short.to_string(), "Insufficient balance of $0.02, where this will cost $0.05");
    assert_eq!(credits.balance(me().owner), Some(2));
    assert_eq!(credits.take(me(), 2, false, NOW).map(|charge| charge.counted), Ok(2), "the refused one is not counted");
    assert_eq!(credits.take(me(), 0, false, NOW).map(|charge| charge.amount), Ok(0), "what is free needs no credit");
    assert!(credits.take(me(), 0, true, NOW).is_err(), "what may cost more needs one");
    assert_eq!(kept.reads.load(SeqCst), 1);
}

#[tokio::test]
async fn the_hundredth_execution_of_a_day_costs_a_credit_more() {
    let (credits, _) = credits(1_000).await;
    let paid = |count: u64, at: Time| -> Vec<u64> {
        (0..count).map(|_| credits.take(me(), 2, false, at).unwrap().amount).collect()
    };
    let day = paid(250, NOW);
    let dear: Vec<_> = day.iter().enumerate().filter(|(_, amount)| **amount == 3).map(|(at, _)| at + 1).collect();
    assert_eq!((dear, day.iter().sum::<u64>()), (vec![100, 200], 502));
    assert_eq!(paid(49, Time(NOW.0 + DAY_MICROS)).iter().sum::<u64>(), 98, "a new day begins at nought");
}

#[tokio::test]
async fn what_was_used_is_paid_for_even_without_credits() {
    let (credits, kept) = credits(510).await;
    credits.settle(me(), 20, NOW);
    credits.settle(me(), 600, NOW);
    assert_eq!(credits.balance(me().owner), Some(-110));
    let short = credits.take(me(), 1, false, NOW).unwrap_err();
    assert_eq!(short.to_string(), "Insufficient balance of $-1.10, where this will cost $0.01");
    credits.fell_short(me(), short.have, NOW);
    assert_eq!(*kept.told.lock().unwrap(), [(Low::Low, 490), (Low::Short, -110)]);
}

#[tokio::test]
async fn a_refill_comes_to_an_open_purse_once() {
    let (credits, _) = credits(7).await;
    credits.take(me(), 5, false, NOW).unwrap();
    let later = Time(2_500_000);
    assert_eq!(credits.open(me().owner, later).await, Ok(102));
    assert_eq!(credits.open(me().owner, later).await, Ok(102));
}

#[tokio::test]
async fn a_purse_follows_what_is_changed_on_disk() {
    let (credits, _) = credits(7).await;
    assert_eq!(credits.change(me().owner, async { Ok::<_, ()>(30) }).await, Ok(30));
    assert_eq!(credits.change(me().owner, async { Err("no") }).await, Err("no"));
    credits.correct(me().owner, -4);
    assert_eq!(credits.balance(me().owner), Some(33));
    let other = UserId::from_random([7; 16]);
    credits.change(other, async { Ok::<_, ()>(30) }).await.unwrap();
    assert_eq!(credits.balance(other), None, "it is read from disk when it is wanted");
}
