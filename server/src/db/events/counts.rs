//! Counts of stored events: per minute, verdict and kind, and per hour, agent and verdict.
//!
//! They count what is in `events`: kept in the transaction that stores, taken back by a trigger when somebody deletes, trimmed
//! with the days that retention drops.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use sqlx::PgConnection;
use tyr_api::events::{Event, EventKind, Verdict};
use uuid::Uuid;

use crate::db::DbError;

/// Writer number in `events_minute`: one writer per server. Two servers on one database queue behind each other on its rows
/// for the length of a COMMIT, no more.
const SHARD: i16 = 0;

/// How many, and how many of them drifted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    events: i64,
    drifts: i64,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.drifts += other.drifts;
    }
}

/// Counts to be added. In order of their keys, so that two writers never wait for each other in a circle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By the second that the minute begins with.
    minutes: BTreeMap<(i64, Verdict, EventKind), Sum>,
    /// By the second that the hour begins with.
    hours: BTreeMap<(i64, Uuid, Verdict), Sum>,
}

impl Counts {
    /// Counts these events.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut counts = Self::default();
        for event in events {
            let one = Sum { events: 1, drifts: i64::from(event.drift_detected) };
            *counts.minutes.entry((start_of(event.ts, 60), event.verdict, event.kind)).or_default() += one;
            *counts.hours.entry((start_of(event.ts, 3600), event.agent_id, event.verdict)).or_default() += one;
        }
        counts
    }

    /// Adds the counts of further events.
    pub fn add(&mut self, other: &Self) {
        for (key, sum) in &other.minutes {
            *self.minutes.entry(*key).or_default() += *sum;
        }
        for (key, sum) in &other.hours {
            *self.hours.entry(*key).or_default() += *sum;
        }
    }

    /// Adds them to the tables, in one round trip.
    pub async fn store(&self, conn: &mut PgConnection) -> Result<(), DbError> {
        if self.minutes.is_empty() {
            return Ok(());
        }
        let minutes: Vec<i64> = self.minutes.keys().map(|key| key.0).collect();
        let verdicts: Vec<String> = self.minutes.keys().map(|key| key.1.to_string()).collect();
        let kinds: Vec<String> = self.minutes.keys().map(|key| key.2.to_string()).collect();
        let (events, drifts) = columns(self.minutes.values());
        let hours: Vec<i64> = self.hours.keys().map(|key| key.0).collect();
        let agents: Vec<Uuid> = self.hours.keys().map(|key| key.1).collect();
        let hour_verdicts: Vec<String> = self.hours.keys().map(|key| key.2.to_string()).collect();
        let (hour_events, hour_drifts) = columns(self.hours.values());
        sqlx::query!(
            "WITH by_minute AS (
                 INSERT INTO events_minute AS m (minute, shard, verdict, kind, events, drifts)
                 SELECT to_timestamp(c.minute), $1, c.verdict::event_verdict, c.kind::event_kind, c.events, c.drifts
                   FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
                        AS c (minute, verdict, kind, events, drifts)
                 ON CONFLICT (minute, shard, verdict, kind)
                 DO UPDATE SET events = m.events + excluded.events, drifts = m.drifts + excluded.drifts)
             INSERT INTO events_hour AS h (hour, agent_id, verdict, events, drifts)
             SELECT to_timestamp(c.hour), c.agent_id, c.verdict::event_verdict, c.events, c.drifts
               FROM unnest($7::bigint[], $8::uuid[], $9::text[], $10::bigint[], $11::bigint[])
                    AS c (hour, agent_id, verdict, events, drifts)
             ON CONFLICT (hour, agent_id, verdict)
             DO UPDATE SET events = h.events + excluded.events, drifts = h.drifts + excluded.drifts",
            SHARD,
            &minutes,
            &verdicts,
            &kinds,
            &events,
            &drifts,
            &hours,
            &agents,
            &hour_verdicts,
            &hour_events,
            &hour_drifts,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

fn start_of(at: Timestamp, seconds: i64) -> i64 {
    at.as_second().div_euclid(seconds) * seconds
}

fn columns<'s>(sums: impl Iterator<Item = &'s Sum>) -> (Vec<i64>, Vec<i64>) {
    sums.map(|sum| (sum.events, sum.drifts)).unzip()
}
