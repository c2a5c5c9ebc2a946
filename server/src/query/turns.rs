//! What queries may use of the machine.
//!
//! So many work at a time. While a run writes into the ledger they take turns that cost more, and rest
//! after each. Lower priorities would not do: systems weigh threads within a session or control group
//! only, and on a busy machine queries would never end.

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tieout_ledger::Ledger;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Sleep;

/// Turns at a time for each thread that queries have.
const TURNS_A_THREAD: usize = 2;
/// Turns that one costs while a run writes: so half of the threads work.
const COST_BESIDE_A_RUN: usize = 4;
/// How many times as long as the work a turn rests while a run writes, so that queries have an eighth
/// of the threads: half of them for a quarter of the time, or each of them for an eighth.
const REST_BESIDE_A_RUN: u32 = 3;
const REST_OF_EACH_THREAD: u32 = 7;
/// The longest rest, after work that cannot be interrupted.
const REST_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether a run writes.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The turns of queries.
#[derive(Debug)]
pub struct Turns {
    free: Semaphore,
    all: usize,
    ledger: PathBuf,
    looked: Mutex<Option<(Instant, bool)>>,
    /// Whose clock is not kept waiting by queries.
    clock: Handle,
}

impl Turns {
    /// For queries on `threads` threads over the ledger in `ledger`.
    pub fn of(threads: usize, ledger: PathBuf, clock: Handle) -> Self {
        let all = threads.max(1) * TURNS_A_THREAD;
        Self {
            free: Semaphore::new(all),
            all,
            ledger,
            looked: Mutex::default(),
            clock,
        }
    }

    /// Whether a run writes into the ledger at the moment.
    pub fn is_run_writing(&self) -> bool {
        let mut looked = self.looked.lock();
        match *looked {
            Some((when, is_writing)) if when.elapsed() < LOOK_EVERY => is_writing,
            _ => {
                let is_writing = Ledger::is_written(&self.ledger);
                *looked = Some((Instant::now(), is_writing));
                is_writing
            }
        }
    }

    /// Forgets what it saw last, which is good for some milliseconds otherwise.
    #[cfg(test)]
    pub fn look_again(&self) {
        *self.looked.lock() = None;
    }

    /// What `work` gives. Each piece of it, up to where it pauses, is a turn.
    pub async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            let is_writing = self.is_run_writing();
            let cost = if is_writing { COST_BESIDE_A_RUN } else { 1 };
            let turn = self.free.acquire_many(cost.min(self.all) as u32).await;
            let began = Instant::now();
            let polled = poll_fn(|_| {
                let mut context = Context::from_waker(&waker);
                Poll::Ready(work.as_mut().poll(&mut context))
            });
            let polled = polled.await;
            if is_writing {
                self.pause(self.rest(began.elapsed())).await;
            }
            drop(turn);
            match polled {
                Poll::Ready(done) => return done,
                Poll::Pending => {
                    // Whoever waits for this to end is heard.
                    tokio::task::yield_now().await;
                    woken.0.notified().await;
                }
            }
        }
    }

    fn pause(&self, time: Duration) -> Sleep {
        let _clock = self.clock.enter();
        tokio::time::sleep(time)
    }

    /// Rests after work of one's own thread that began at `began`, while a run writes.
    pub fn rest_since(&self, began: Instant) {
        if self.is_run_writing() {
            thread::sleep(self.rest(began.elapsed()));
        }
    }

    /// The rest of one part of a query of several, all of which go on.
    pub fn rest_of_a_part(&self, worked: Duration) -> Sleep {
        self.pause((worked * REST_OF_EACH_THREAD).min(REST_MAX))
    }

    fn rest(&self, worked: Duration) -> Duration {
        let times = if self.all < COST_BESIDE_A_RUN {
            REST_OF_EACH_THREAD
        } else {
            REST_BESIDE_A_RUN
        };
        (worked * times).min(REST_MAX)
    }
}

/// Tells that work which has paused may go on.
#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn work_that_pauses_goes_on_and_so_many_work_at_a_time() {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let clock = runtime.handle().clone();
        let turns = Arc::new(Turns::of(1, dir.path().to_owned(), clock));
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..20).map(|number| {
            let (turns, working, most) =
                (Arc::clone(&turns), Arc::clone(&working), Arc::clone(&most));
            runtime.spawn(async move {
                let work = async {
                    for _ in 0..5 {
                        let now = working.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(1));
                        working.fetch_sub(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                    }
                    number
                };
                turns.over(work).await
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let done = runtime.block_on(join_all(tasks));
        let done: Vec<usize> = done.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= TURNS_A_THREAD);
    }

    #[test]
    fn a_run_that_writes_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        let turns = Turns::of(2, dir.path().to_owned(), runtime.handle().clone());
        assert!(!turns.is_run_writing());
        let writer = Ledger::post(dir.path()).unwrap();
        turns.look_again();
        assert!(turns.is_run_writing());
        writer.finish("cash-application").unwrap();
        turns.look_again();
        assert!(!turns.is_run_writing());
    }

    /// What has begun, in order.
    type Begun = Arc<Mutex<Vec<&'static str>>>;

    /// Works once without a pause, and says so.
    fn work(name: &'static str, begun: &Begun) -> impl Future<Output = ()> + use<> {
        let begun = Arc::clone(begun);
        async move { begun.lock().push(name) }
    }

    /// Polls once; whether it is done.
    fn is_done(work: Pin<&mut impl Future>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        work.poll(&mut context).is_ready()
    }

    /// On two threads, so that without a run four turns work at a time. Nobody drives the clock here
    /// but who waits for a rest, so that none ends by itself.
    #[test]
    fn turns_beside_a_run_come_one_after_the_other_and_rest() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let turns = Turns::of(2, dir.path().to_owned(), runtime.handle().clone());
        let begun = Begun::default();
        let writer = Ledger::post(dir.path()).unwrap();
        let mut first = pin!(turns.over(work("first", &begun)));
        let mut second = pin!(turns.over(work("second", &begun)));
        // The first has worked and rests; the second does not begin.
        assert!(!is_done(first.as_mut()));
        assert!(!is_done(second.as_mut()));
        assert_eq!(*begun.lock(), ["first"]);
        runtime.block_on(first);
        assert!(!is_done(second.as_mut()));
        assert_eq!(*begun.lock(), ["first", "second"]);

        // Who came while the run wrote still waits for the turn before; then nothing rests.
        let mut third = pin!(turns.over(work("third", &begun)));
        assert!(!is_done(third.as_mut()));
        writer.finish("cash-application").unwrap();
        turns.look_again();
        runtime.block_on(second);
        runtime.block_on(third);
        let mut works = ["fourth", "fifth", "sixth", "seventh"]
            .map(|name| Box::pin(turns.over(work(name, &begun))));
        for work in &mut works {
            assert!(is_done(work.as_mut()));
        }
        let all = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
        ];
        assert_eq!(*begun.lock(), all);
    }

    /// Work that waits for something holds no turn, with a run or without.
    #[test]
    fn work_that_waits_lets_others_work() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let turns = Turns::of(1, dir.path().to_owned(), runtime.handle().clone());
        let begun = Begun::default();
        let _writer = Ledger::post(dir.path()).unwrap();
        let awaited = Notify::new();
        let waits = async {
            work("waits", &begun).await;
            awaited.notified().await;
            work("goes on", &begun).await;
        };
        let waits = turns.over(waits);
        let works = async {
            turns.over(work("works", &begun)).await;
            awaited.notify_one();
        };
        runtime.block_on(async { tokio::join!(waits, works) });
        assert_eq!(*begun.lock(), ["waits", "works", "goes on"]);
    }
}
