//! Wallets on the simulated disk, and what must hold of them after every commit.

use heddle_engine::credits::{Charge, Wallet};
use heddle_model::{Time, UserId};
use std::collections::BTreeMap;

/// Each so many executions cost a credit more.
pub const FEE_EVERY: u64 = 7;
/// What a run says that ends for want of credits, in the two ways in which it may.
const SHORT: [&str; 2] = ["Insufficient balance of $", "At least 1 credit must be available to run this agent."];

/// Whether a run has ended for want of credits.
pub fn is_short(error: Option<&str>) -> bool {
    error.is_some_and(|text| SHORT.iter().any(|short| text.starts_with(short)))
}

/// Everybody's wallets.
pub struct Money {
    /// What each account has to begin with.
    granted: i64,
    accounts: BTreeMap<UserId, Account>,
}

#[derive(Default)]
struct Account {
    wallet: Wallet,
    /// For executions that began, fees included.
    begun: u64,
    fees: u64,
    /// The highest number that was counted since a time.
    counted: BTreeMap<Time, u64>,
}

impl Money {
    pub fn new(granted: i64) -> Self {
        Self { granted, accounts: BTreeMap::new() }
    }

    pub fn wallet(&mut self, owner: UserId) -> Wallet {
        self.account(owner).wallet
    }

    fn account(&mut self, owner: UserId) -> &mut Account {
        let wallet = Wallet { balance: self.granted, ..Wallet::default() };
        self.accounts.entry(owner).or_insert_with(|| Account { wallet, ..Account::default() })
    }

    /// Takes a frame's charge, which is for executions that began and for what others have used.
    pub fn charge(&mut self, owner: UserId, charge: Charge, begun: u64, fees: u64, used: u64) -> Result<(), String> {
        let granted = self.granted;
        let account = self.account(owner);
        if charge.amount != begun + used {
            return Err(format!("its charge is {}, its events cost {begun} and {used}", charge.amount));
        }
        account.wallet.balance -= charge.amount as i64;
        account.begun += begun;
        account.fees += fees;
        if account.begun as i64 > granted {
            return Err(format!("{} were spent of {granted}", account.begun));
        }
        let most = account.counted.entry(charge.since).or_default();
        *most = charge.counted.max(*most);
        if charge.since >= account.wallet.since {
            (account.wallet.since, account.wallet.counted) = (charge.since, *most);
        }
        // A frame may reach over the end of a day and tell only of the new one.
        let due: u64 = account.counted.values().map(|most| most / FEE_EVERY + 1).sum();
        if account.fees > due {
            return Err(format!("{} fees, at most {due} are due", account.fees));
        }
        Ok(())
    }
}
