//! The change of the master key, also where it is broken off.

use super::*;
use crate::Database;

struct Bed {
    store: Store,
    key_file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match heddle_cluster::Cluster::shared().filter(|_| heddle_cluster::is_wanted()) {
            Some(cluster) => crate::Address::parse(&cluster.database()).unwrap().into(),
            None => (&folder.path().join("heddle.db")).into(),
        };
        Self { store: database.open().unwrap(), key_file: folder.path().join("master.key"), _folder: folder }
    }

    async fn secrets(&self) -> Secrets {
        Secrets::open(self.store.clone(), Some(self.key_file.clone())).await.unwrap()
    }

    fn keys_in_file(&self) -> usize {
        std::fs::read_to_string(&self.key_file).unwrap().lines().count()
    }
}

fn user(number: u8) -> UserId {
    UserId::from_random([number; 16])
}

async fn put(secrets: &Secrets, number: u8) {
    secrets.put(user(number), "a", &Secret::new(format!("secret {number}"))).await.unwrap();
}

async fn get(secrets: &Secrets, number: u8) -> String {
    let never = || Err(Error::Internal("it is there".to_owned()));
    secrets.get_or_make(user(number), "a", never).await.unwrap().expose().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_open_before_while_and_after_the_key_changes() {
    let bed = Bed::new();
    let secrets = bed.secrets().await;
    for number in 0..100 {
        put(&secrets, number).await;
    }
    let reading = {
        let secrets = secrets.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                for number in 0..100 {
                    assert_eq!(get(&secrets, number).await, format!("secret {number}"), "round {round}");
                }
                put(&secrets, 100 + round).await;
            }
        })
    };
    let (first, second) = (secrets.rotate().await.unwrap(), secrets.rotate().await.unwrap());
    reading.await.unwrap();
    assert!(first.resealed >= 100 && first.is_over && second.is_over && first.key != second.key);
    assert_eq!((first.unopened, second.unopened, bed.keys_in_file()), (0, 0, 1));
    let reopened = bed.secrets().await;
    assert!(!reopened.is_rotating().await);
    for number in 0..110 {
        assert_eq!(get(&reopened, number).await, format!("secret {number}"));
    }
}

#[tokio::test]
async fn a_change_that_was_broken_off_is_ended_by_the_next_process() {
    let bed = Bed::new();
    let secrets = bed.secrets().await;
    for number in 0..70 {
        put(&secrets, number).await;
    }
    // A new key is in the file, half of the rows are sealed with it, and the process is gone.
    heddle_vault::rotate(&bed.key_file).unwrap();
    let after = bed.secrets().await;
    for number in 0..35 {
        put(&after, number).await;
    }
    let next = bed.secrets().await;
    assert!(next.is_rotating().await);
    assert_eq!(get(&next, 69).await, "secret 69", "an older key opens");
    let done = next.finish().await.unwrap();
    assert_eq!((done.resealed, done.unopened, done.is_over, bed.keys_in_file()), (35, 0, true, 1));
    let last = bed.secrets().await;
    assert_eq!((get(&last, 0).await, get(&last, 69).await), ("secret 0".to_owned(), "secret 69".to_owned()));
}

#[tokio::test]
async fn older_keys_stay_as_long_as_something_does_not_open() {
    let bed = Bed::new();
    let secrets = bed.secrets().await;
    put(&secrets, 1).await;
    let moved = bed.store.secret(user(1), "a").await.unwrap().unwrap();
    // Bound to its owner and name: it does not open anywhere else.
    bed.store.put_secret(SealedSecret { owner: user(2), name: "a".to_owned(), sealed: moved }).await.unwrap();
    let done = secrets.rotate().await.unwrap();
    assert_eq!((done.resealed, done.unopened, done.is_over, bed.keys_in_file()), (1, 1, false, 2));
    assert_eq!(get(&secrets, 1).await, "secret 1");
}

#[tokio::test]
async fn whoever_is_about_to_keep_something_is_waited_for() {
    let bed = Bed::new();
    let secrets = bed.secrets().await;
    let sealing = secrets.sealing().await.unwrap();
    let sealed = sealing.seal("secret", &row(user(1), "a"), b"late").unwrap();
    let rotating = {
        let secrets = secrets.clone();
        tokio::spawn(async move { secrets.rotate().await.unwrap() })
    };
    bed.store.put_secret(SealedSecret { owner: user(1), name: "a".to_owned(), sealed }).await.unwrap();
    drop(sealing);
    let done = rotating.await.unwrap();
    assert!(done.is_over && done.unopened == 0);
    assert_eq!(get(&bed.secrets().await, 1).await, "late");
}

#[test]
fn it_is_all_the_same_on_postgresql() {
    heddle_cluster::again(&["secrets::tests::"]);
}
