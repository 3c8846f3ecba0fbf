//! A task beside the use cases: it goes on until it is stopped, or until the last one who holds it is gone.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The task.
pub(crate) struct Background(Mutex<Option<Task>>);

struct Task {
    handle: JoinHandle<()>,
    /// How it is told that it is to end, and how long it has then.
    notice: Option<(oneshot::Sender<()>, Duration)>,
}

impl Background {
    /// Starts work that may be broken off wherever it waits for something.
    pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Mutex::new(Some(Task { handle: tokio::spawn(work), notice: None })))
    }

    /// Starts work that is told when it is to end and has so long for that, then is broken off all the same.
    pub(crate) fn start_with_notice<F>(time: Duration, work: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self(Mutex::new(Some(Task { handle: tokio::spawn(work(stopped)), notice: Some((stop, time)) })))
    }

    /// Ends the task and waits until it is gone. What it was about to do, the next one does.
    pub(crate) async fn stop(&self) {
        let Some(Task { mut handle, notice }) = self.take() else { return };
        if let Some((stop, time)) = notice {
            // It ends as told or, if something went wrong in it, has ended.
            let _ = stop.send(());
            if timeout(time, &mut handle).await.is_ok() {
                return;
            }
        }
        handle.abort();
        let _ = handle.await;
    }

    fn take(&self) -> Option<Task> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(task) = self.take() {
            task.handle.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::Arc;

    /// Gone when the work that holds it is.
    fn work() -> (Arc<()>, impl Future<Output = ()>) {
        let held = Arc::new(());
        let own = Arc::clone(&held);
        (held, async move {
            let _own = own;
            pending().await
        })
    }

    #[tokio::test]
    async fn it_is_gone_when_it_was_stopped_and_may_be_stopped_again() {
        let (held, work) = work();
        let background = Background::start(work);
        background.stop().await;
        assert_eq!(Arc::strong_count(&held), 1);
        background.stop().await;
    }

    #[tokio::test]
    async fn it_goes_with_the_one_who_holds_it() {
        let (held, work) = work();
        drop(Background::start(work));
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn it_may_finish_what_it_is_at_when_it_is_told() {
        let (done, was_done) = oneshot::channel();
        let background = Background::start_with_notice(Duration::from_secs(60), |stopped| async {
            let _ = stopped.await;
            tokio::task::yield_now().await;
            done.send(()).unwrap();
        });
        background.stop().await;
        assert_eq!(was_done.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_listen_and_work_that_panicked_are_no_hindrance() {
        let (held, work) = work();
        Background::start_with_notice(Duration::from_secs(5), |_| work).stop().await;
        assert_eq!(Arc::strong_count(&held), 1);
        let background = Background::start(async { panic!("as told") });
        tokio::task::yield_now().await;
        background.stop().await;
    }
}
