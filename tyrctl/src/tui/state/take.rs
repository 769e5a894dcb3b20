//! What news of the server change.

use std::sync::Arc;

use crate::tui::state::State;
use crate::tui::state::feed::{Arrival, Batch, Feed};
use crate::tui::state::held::Held;
use crate::tui::state::link::Phase;
use crate::tui::state::msg::Dirty;
use crate::tui::theme::Role;

impl State {
    pub(super) fn feed(&mut self, feed: Feed) -> Dirty {
        let now = self.now;
        match feed {
            Feed::Connecting => {
                if *self.link.phase() == Phase::Connecting && self.traffic.since.is_none() {
                    self.note("connecting to ", &self.server.clone(), Role::Normal);
                }
                self.link.trying();
            }
            Feed::Snapshot { snapshot, resumed } => {
                let snapshot = *snapshot;
                self.link.sync(snapshot.now, now);
                self.traffic.snapshots += 1;
                self.traffic.since.get_or_insert(snapshot.now);
                self.traffic.cursor.get_or_insert_with(|| snapshot.cursor.clone());
                let text = format!(
                    "snapshot of tyr-server {}: {} agents, {} events",
                    snapshot.version,
                    snapshot.agents.len(),
                    snapshot.events.len()
                );
                self.note(text, "", Role::Normal);
                let live = &mut self.live;
                live.version = snapshot.version;
                live.fleet.start(snapshot.stale_after_s, snapshot.agents, snapshot.discovered_agents);
                live.rates.start(snapshot.now, snapshot.rates);
                for event in snapshot.drifts.into_iter().rev() {
                    live.drifts.push(&Arc::new(event));
                }
                live.drifts.last_day = snapshot.drifts_1d;
                live.alerts.start(snapshot.alerts);
                if !resumed {
                    for event in snapshot.events.into_iter().rev() {
                        live.events.push(Arc::new(Held::from(event)));
                    }
                }
                self.relist();
                // Whoever waits for the first picture, or for one after an outage, shall not wait for the grid of frames too.
                return Dirty::Input;
            }
            Feed::Open => {
                let again = self.link.open(now);
                self.note(if again { "stream open again, catching up" } else { "stream open" }, "", Role::Good);
                return Dirty::Input;
            }
            Feed::Batch(batch) => return self.batch(*batch),
            Feed::Waiting { attempt, until, cause } => {
                let seconds = until.saturating_duration_since(now.mono).as_millis().div_ceil(1_000);
                self.note(format!("cut off, try {attempt} in {seconds} s: "), &cause, Role::Warn);
                self.link.waiting(attempt, until, cause, now);
            }
            Feed::Stopped { cause, login } => {
                self.note("given up: ", &cause, Role::Bad);
                self.link.stopped(cause, login, now);
            }
            Feed::Ended(cause) => {
                match &cause {
                    Some(cause) => self.note("the recording can't be read on: ", cause, Role::Bad),
                    None => self.note("end of the recording", "", Role::Warn),
                }
                self.link.ended(cause, now);
            }
            Feed::RecordingEnded(why) => {
                self.recording = false;
                self.tell(why, "", Role::Warn);
            }
        }
        Dirty::Data
    }

    fn batch(&mut self, batch: Batch) -> Dirty {
        let now = self.now;
        self.link.frame(now);
        let mut replayed = 0;
        let mut gaps = Vec::new();
        let live_clock = self.link.server_now(now).filter(|_| *self.link.phase() == Phase::Live);
        self.traffic.stats += batch.stats.len() as u64;
        self.traffic.bytes += batch.bytes;
        if !batch.stats.is_empty() {
            self.traffic.beat(now.mono);
        }
        if batch.cursor.is_some() {
            self.traffic.cursor = batch.cursor;
        }
        let live = &mut self.live;
        for arrival in batch.arrivals {
            match arrival {
                Arrival::Event(event) => {
                    replayed += 1;
                    if let Some(clock) = live_clock {
                        self.traffic.lag.push(clock.as_millisecond() - event.received_at.as_millisecond());
                    }
                    if event.drift_detected {
                        live.drifts.push(&event.event());
                    }
                    live.events.push(event);
                }
                Arrival::Gap(gap) => {
                    let missed = gap.missed.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
                    gaps.push(format!("gap: {missed} events did not reach this screen; the server has them"));
                    live.events.push_gap(gap);
                }
            }
        }
        self.link.replayed(replayed + batch.dropped);
        self.traffic.events += replayed + batch.dropped;
        live.dropped += batch.dropped;
        for ((agent, second), counts) in &batch.counts {
            live.rates.count(*agent, *second, counts);
            live.fleet.heard(*agent, *second);
        }
        if !batch.agents.is_empty() {
            self.census.is_void();
        }
        batch.agents.into_values().for_each(|agent| live.fleet.agent(agent));
        live.fleet.settle();
        batch.alerts.into_values().for_each(|alert| live.alerts.push(alert));
        batch.ai.into_values().for_each(|process| live.fleet.process(process));
        for stats in &batch.stats {
            self.link.sync(stats.now, now);
            live.rates.push(stats);
            live.rates.prune(stats.now.as_second());
            live.fleet.prune(stats.now.as_second());
            live.drifts.last_day = stats.drifts_1d;
            live.lost = stats.events_lost;
        }
        if !batch.stats.is_empty()
            && let Some((away, events)) = self.link.caught_up(now)
        {
            let text = format!(
                "reconnected after {}.{} s, replayed {events} events",
                away.as_secs(),
                away.subsec_millis() / 100
            );
            self.tell(text, "", Role::Good);
            if let Some(done) = self.login_done.take() {
                self.say(done, Role::Good);
            }
        }
        for gap in gaps {
            self.tell(gap, "", Role::Warn);
        }
        Dirty::Data
    }
}
