//! What follows a COMMIT: the stored events are told to all who follow them, and then the batches are answered.
//!
//! This goes on beside the writer's next transaction, in the order of the transactions: at many events per second it takes a fair
//! share of a transaction's time. A batch is answered last, so that what an agent knows to be stored is counted and published too.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tyr_api::events::Event;

use super::{IngestError, Work};
use crate::app::App;
use crate::db::events::ingest::{Key, key};

/// One transaction's work, committed.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) works: Vec<Work>,
    /// Which of the events are new; `None`: all of them.
    pub(super) new: Option<HashSet<Key>>,
    pub(super) received_at: Timestamp,
}

/// What became of a batch, and who waits to hear it.
pub(super) type Answer = (oneshot::Sender<Result<(), IngestError>>, Result<(), IngestError>);

/// What the writer did in one go.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) stored: Vec<Stored>,
    pub(super) answers: Vec<Answer>,
}

/// Runs until the writer has ended and all is told.
pub(super) async fn run(app: Arc<App>, mut done: mpsc::Receiver<Done>) {
    while let Some(Done { stored, answers }) = done.recv().await {
        for stored in stored {
            announce(&app, stored);
        }
        for (answer, result) in answers {
            // An agent that hung up meanwhile gets its answer by sending the batch again.
            let _ = answer.send(result);
        }
    }
}

fn announce(app: &App, Stored { works, new, received_at }: Stored) {
    for work in works.iter().filter(|work| !work.discovered.is_empty()) {
        app.fleet.discovered(work.agent_id, work.discovered.iter().map(|announced| announced.id));
    }
    let sent: usize = works.iter().map(|work| work.events.len()).sum();
    let metrics = &app.metrics.ingest;
    metrics.rejected(works.iter().map(|work| work.rejected.len()).sum());
    metrics.quarantined(works.iter().map(|work| work.quarantined.len()).sum());
    let expired = works.iter().filter_map(|work| work.expired.as_ref()).map(|expired| expired.events).sum();
    metrics.expired(expired);
    let events = works.into_iter().flat_map(|work| work.events);
    let mut batch: Vec<Event> = match new {
        None => events.collect(),
        Some(mut new) => events.filter(|event| new.remove(&key(event))).collect(),
    };
    metrics.replayed(sent - batch.len());
    if batch.is_empty() {
        return;
    }
    // While the events of one agent are still together.
    app.alerts.tally.stored(&batch);
    batch.sort_unstable_by_key(|event| event.event_id);
    metrics.stored(&batch);
    app.metrics.agents.stored(&batch);
    app.fleet.stored(&batch);
    app.live.publish(received_at, batch.len() as u64, batch);
}
