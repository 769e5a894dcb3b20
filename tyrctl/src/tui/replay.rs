//! Plays a recording to the screen as if it came from the server, in its own time or faster.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use crate::tui::record::Recording;
use crate::tui::state::feed::{BATCH_EVENTS_MAX, Batch, Feed};
use crate::tui::state::link::Now;

/// Messages that wait for the screen.
const QUEUE_MAX: usize = 8;

/// The clocks that everything on the screen is measured by: those of this machine, or those of a recording.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// Of a recording: when it began by the recording machine's clock, and how many times faster it runs.
    replay: Option<(Timestamp, f64)>,
}

impl Clock {
    /// Those of this machine.
    pub fn real() -> Self {
        Self { origin: Instant::now(), replay: None }
    }

    /// Those of a recording that begins now.
    pub fn of(recording: &Recording, speed: f64) -> Self {
        Self { origin: Instant::now(), replay: Some((recording.head.at, speed)) }
    }

    /// What they show.
    pub fn now(&self) -> Now {
        let mono = Instant::now();
        let Some((began, speed)) = self.replay else { return Now { mono, wall: Timestamp::now() } };
        let since = Duration::try_from_secs_f64(mono.duration_since(self.origin).as_secs_f64() * speed);
        let since = since.unwrap_or(Duration::MAX);
        Now {
            mono: self.origin.checked_add(since).unwrap_or(mono),
            wall: jiff::SignedDuration::try_from(since)
                .ok()
                .and_then(|since| began.checked_add(since).ok())
                .unwrap_or(began),
        }
    }

    /// When it is, by this machine, that long after the recording's beginning; absent beyond all clocks.
    fn real_time_of(&self, after: Duration) -> Option<Instant> {
        let speed = self.replay.map_or(1.0, |(_, speed)| speed);
        self.origin.checked_add(Duration::try_from_secs_f64(after.as_secs_f64() / speed).ok()?)
    }
}

/// The task that reads the recording; dropping it ends that.
#[derive(Debug)]
pub struct Player(JoinHandle<()>);

impl Drop for Player {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to play from within a tokio runtime.
pub fn start(recording: Recording, clock: Clock) -> (Player, mpsc::Receiver<Feed>) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let task = tokio::spawn(async move {
        // Nobody listens any more: nothing is left to do.
        let _ = play(recording, clock, &sender).await;
        // Held open, as a queue that closes is a connection that broke.
        sender.closed().await;
    });
    (Player(task), receiver)
}

async fn play(
    mut recording: Recording,
    clock: Clock,
    sender: &mpsc::Sender<Feed>,
) -> Result<(), mpsc::error::SendError<Feed>> {
    let mut batch = Batch::default();
    loop {
        let next = recording.read();
        let (at, news) = match next {
            Ok(Some(next)) => next,
            Ok(None) => {
                flush(&mut batch, sender).await?;
                return sender.send(Feed::Ended(None)).await;
            }
            Err(failure) => {
                flush(&mut batch, sender).await?;
                // The file's name is long and known to whoever named it.
                let why = failure.causes.last().unwrap_or(&failure.message).clone();
                return sender.send(Feed::Ended(Some(why))).await;
            }
        };
        let due = clock.real_time_of(at);
        // A batch is handed over before a pause, and before it would have to drop something.
        if batch.arrivals.len() >= BATCH_EVENTS_MAX / 2 || due.is_none_or(|due| due > Instant::now()) {
            flush(&mut batch, sender).await?;
        }
        match due {
            Some(due) => sleep_until(due.into()).await,
            None => std::future::pending().await,
        }
        let happened = clock.origin.checked_add(at).unwrap_or(clock.origin);
        if news.is_about_the_connection() {
            flush(&mut batch, sender).await?;
        }
        if let Some(feed) = batch.take(news, happened) {
            sender.send(feed).await?;
        }
    }
}

async fn flush(batch: &mut Batch, sender: &mpsc::Sender<Feed>) -> Result<(), mpsc::error::SendError<Feed>> {
    if batch.is_empty() { Ok(()) } else { sender.send(Feed::Batch(Box::new(std::mem::take(batch)))).await }
}
