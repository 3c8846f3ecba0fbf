//! The power goes: whatever was acknowledged before is there afterwards, whatever the disk forgot.
//!
//! One server's life is recorded, each write and each sync. Then the disk is played up to many moments, what was not
//! synced by then is lost or torn in all manners, and the real binary is started on what is left.
//! `HEDDLE_POWER_LOSS=N` and `HEDDLE_POWER_LOSS_SEED=S` ask for other cuts than the usual ones (`just power-loss N`).

#![cfg(target_os = "linux")]

mod cut;
mod disk;
mod record;

use crate::support::{say, skip};
use cut::Cut;
use disk::{Dice, Disk, Loss};
use record::History;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

/// Servers at once.
const AT_ONCE: usize = 3;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let Some(recorder) = record::recorder(folder.path()) else { return skip(1, "cc") };
    let (count, seed) = (number("HEDDLE_POWER_LOSS", 200), number("HEDDLE_POWER_LOSS_SEED", 1));
    let history = record::record(&recorder);
    assert!(history.rounds() > 2, "the log was only begun by the two starts");
    let cuts = Cut::many(&history, count, &mut Dice(seed));
    let disk = || Disk::new(&history.root, history.inode);
    let lost = losses(&history, disk(), &cuts);
    assert!(lost.is_empty(), "seed {seed}, {} losses:\n{}", lost.len(), lost.join("\n"));

    // A disk that never syncs the log is what a database is that does not wait for the disk. That must be noticed.
    let fewer: Vec<_> = cuts.iter().filter(|cut| cut.loss == Loss::All).step_by(4).cloned().collect();
    let noticed = losses(&history, disk().forgetful("-wal"), &fewer).len();
    assert!(
        fewer.is_empty() || noticed > fewer.len() / 4,
        "{noticed} losses of a disk that forgets, in {} cuts",
        fewer.len()
    );
    say(&format!(
        "power loss: {count} cuts (seed {seed}) into {} records with {} promises, none broken; \
         {noticed} found when the log is never synced ({} cuts)",
        history.records.len(),
        history.promises.len(),
        fewer.len()
    ));
}

/// Everything that is wrong after these cuts, which are in order.
fn losses(history: &History, mut disk: Disk, cuts: &[Cut]) -> Vec<String> {
    let lost = Mutex::new(Vec::new());
    let (sender, receiver) = sync_channel(AT_ONCE);
    let receiver = Arc::new(Mutex::new(receiver));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (receiver, lost) = (Arc::clone(&receiver), &lost);
            scope.spawn(move || {
                loop {
                    let next = receiver.lock().unwrap().recv();
                    let Ok((cut, heddle)) = next else { return };
                    lost.lock().unwrap().extend(Cut::check(cut, history, &heddle));
                }
            });
        }
        drop(receiver);
        let mut played = 0;
        for cut in cuts {
            history.records[played..cut.at].iter().for_each(|record| disk.play(record));
            played = cut.at;
            if sender.send((cut, cut.leave(&disk))).is_err() {
                break;
            }
        }
        drop(sender);
    });
    lost.into_inner().unwrap()
}
