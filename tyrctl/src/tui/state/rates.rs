//! Events per second: totals from the server's counters, the split from the events themselves.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;
use tyr_api::events::{EventKind, Verdict};
use tyr_api::stats::RateRow;
use tyr_api::stream::StreamStats;
use uuid::Uuid;

use crate::tui::state::feed::Counts;
use crate::tui::state::fleet::AGENTS_MAX;

/// Seconds that are kept.
pub const SECONDS_MAX: usize = 600;
/// Minutes that are kept of what was seen here.
pub const MINUTES_MAX: usize = 62;
/// Counters that a minute must have had to stand for itself.
const MINUTE_SECONDS_MIN: u32 = 50;
/// Seconds that are kept of each agent.
pub const AGENT_SECONDS_MAX: i64 = 60;
/// Rows of the roll-up that are kept: an hour of minutes, each with all kinds and verdicts.
pub const MINUTE_ROWS_MAX: usize = 61 * EventKind::ALL.len() * Verdict::ALL.len();

/// What the server stored in one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Second {
    /// Seconds since 1970, by the server's clock.
    pub at: i64,
    /// All events.
    pub events: u64,
    /// Events by verdict, in the order of [`Verdict::ALL`].
    pub by_verdict: [u64; 3],
    /// Events by kind, in the order of [`EventKind::ALL`].
    pub by_kind: [u64; 5],
    /// Drifting events.
    pub drifts: u64,
}

/// Rates of the whole server and of each agent.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    seconds: VecDeque<Second>,
    minutes: Vec<RateRow>,
    /// Minutes as they were seen here: when each began, its events, and how many counters that rests on.
    seen: VecDeque<(i64, u64, u32)>,
    counts: VecDeque<(i64, Counts)>,
    agents: HashMap<Uuid, VecDeque<(i64, SmallCounts)>>,
    /// Since when events are counted here, by the server's clock.
    counting_since: Option<i64>,
}

/// Median, 99th percentile, highest and newest of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Newest second.
    pub now: u64,
    /// Median second.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Busiest second.
    pub max: u64,
    /// Seconds that this rests on.
    pub seconds: usize,
}

impl Rates {
    /// Starts from a snapshot's roll-up of the last hour.
    pub fn start(&mut self, now: Timestamp, mut minutes: Vec<RateRow>) {
        minutes.truncate(MINUTE_ROWS_MAX);
        self.minutes = minutes;
        self.counting_since.get_or_insert(now.as_second());
    }

    /// Takes one second's counters in.
    pub fn push(&mut self, stats: &StreamStats) {
        // Counters come once a second, but not on its edge: jitter must neither merge two of them nor tear a hole.
        let mut at = stats.now.as_second();
        if let Some(last) = self.seconds.back().map(|last| last.at) {
            if at < last - 5 {
                // The server's clock was set back: what was seen before belongs to another time.
                self.seconds.clear();
                self.seen.clear();
                self.counts.clear();
                self.agents.clear();
            } else if at <= last || at == last + 2 {
                at = last + 1;
            }
        }
        let by_verdict = by_word(&stats.events_by_verdict, Verdict::WORDS);
        let by_kind = by_word(&stats.events_by_kind, EventKind::WORDS);
        let events = stats.events_by_verdict.values().sum();
        self.seconds.push_back(Second { at, events, by_verdict, by_kind, drifts: stats.drifts });
        while self.seconds.len() > SECONDS_MAX {
            self.seconds.pop_front();
        }
        let minute = at - at.rem_euclid(60);
        match self.seen.back_mut() {
            Some((begun, sum, counters)) if *begun == minute => {
                *sum += events;
                *counters += 1;
            }
            _ => self.seen.push_back((minute, events, 1)),
        }
        while self.seen.len() > MINUTES_MAX {
            self.seen.pop_front();
        }
    }

    /// As they were at that second.
    #[must_use]
    pub fn at(&self, second: i64) -> Self {
        Self {
            seconds: self.seconds.iter().filter(|row| row.at <= second).cloned().collect(),
            minutes: self.minutes.clone(),
            seen: self.seen.clone(),
            counts: until(&self.counts, second),
            agents: self.agents.iter().map(|(agent, rows)| (*agent, until(rows, second))).collect(),
            counting_since: self.counting_since,
        }
    }

    /// The oldest second that is kept.
    pub fn oldest(&self) -> Option<i64> {
        self.seconds.front().map(|second| second.at)
    }

    /// Takes events of one agent in one second in.
    pub fn count(&mut self, agent: Uuid, second: i64, counts: &Counts) {
        add(&mut self.counts, second, counts, AGENT_SECONDS_MAX);
        add(self.agents.entry(agent).or_default(), second, counts, AGENT_SECONDS_MAX);
    }

    /// Forgets the agents that were quiet for long, and beyond so many agents all that is known of each.
    pub fn prune(&mut self, now: i64) {
        self.agents.retain(|_, seconds| seconds.back().is_some_and(|(at, _)| *at > now - AGENT_SECONDS_MAX));
        if self.agents.len() > AGENTS_MAX {
            self.agents.clear();
        }
    }

    /// How much is kept: seconds, rows of minutes, seconds with their split, agents, and the most seconds of an agent.
    pub fn held(&self) -> [usize; 5] {
        let most = self.agents.values().map(VecDeque::len).max().unwrap_or(0);
        [self.seconds.len(), self.minutes.len(), self.counts.len(), self.agents.len(), most]
    }

    /// The server's counters of the last `length` seconds, oldest first; a hole where none came.
    pub fn series(&self, length: usize) -> Vec<Option<&Second>> {
        let mut series = vec![None; length];
        let Some(newest) = self.seconds.back() else { return series };
        for second in &self.seconds {
            if let Ok(age) = usize::try_from(newest.at - second.at)
                && age < length
            {
                series[length - 1 - age] = Some(second);
            }
        }
        series
    }

    /// Average events per second of the minute that holds this second: as it was seen here, else from the last snapshot's roll-up.
    pub fn minute_average(&self, second: i64) -> Option<f64> {
        let minute = second - second.rem_euclid(60);
        if let Some((_, events, counters)) =
            self.seen.iter().find(|(begun, _, counters)| *begun == minute && *counters >= MINUTE_SECONDS_MIN)
        {
            #[expect(clippy::cast_precision_loss, reason = "a rate to draw, not to add up")]
            return Some(*events as f64 / f64::from(*counters));
        }
        let mut rows = self.minutes.iter().filter(|row| row.minute.as_second() == minute).peekable();
        rows.peek()?;
        #[expect(clippy::cast_precision_loss, reason = "a rate to draw, not to add up")]
        Some(rows.map(|row| row.events).sum::<u64>() as f64 / 60.0)
    }

    /// Events and drifts of a kind (and verdict) in the hour before the last snapshot.
    pub fn hour(&self, kind: EventKind, verdict: Option<Verdict>) -> (u64, u64) {
        let rows =
            self.minutes.iter().filter(|row| row.kind == kind && verdict.is_none_or(|verdict| row.verdict == verdict));
        rows.fold((0, 0), |(events, drifts), row| (events + row.events, drifts + row.drifts))
    }

    /// Second of the newest counters.
    pub fn newest(&self) -> Option<i64> {
        self.seconds.back().map(|second| second.at)
    }

    /// Figures over the last `length` seconds.
    pub fn summary(&self, length: usize) -> Option<Summary> {
        let mut totals: Vec<u64> = self.series(length).into_iter().flatten().map(|second| second.events).collect();
        let now = *totals.last()?;
        totals.sort_unstable();
        let rank = |percent: usize| totals[(totals.len() * percent).div_ceil(100).max(1) - 1];
        Some(Summary { now, p50: rank(50), p99: rank(99), max: *totals.last()?, seconds: totals.len() })
    }

    /// Sums over the last `length` seconds: all events, by verdict, by kind.
    pub fn sums(&self, length: usize) -> (u64, [u64; 3], [u64; 5]) {
        let mut sums = (0, [0; 3], [0; 5]);
        for second in self.series(length).into_iter().flatten() {
            sums.0 += second.events;
            sums.1.iter_mut().zip(second.by_verdict).for_each(|(sum, n)| *sum += n);
            sums.2.iter_mut().zip(second.by_kind).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// Events received in the minute before `now`, by kind and verdict.
    pub fn received(&self, now: i64) -> Counts {
        sum(&self.counts, now, AGENT_SECONDS_MAX)
    }

    /// Events of an agent in the minute before `now`.
    pub fn received_of(&self, agent: Uuid, now: i64) -> Counts {
        self.agents.get(&agent).map(|seconds| sum(seconds, now, AGENT_SECONDS_MAX)).unwrap_or_default()
    }

    /// Events of an agent in `buckets` equal parts of the minute before `now`, oldest first.
    pub fn shape_of(&self, agent: Uuid, now: i64, buckets: usize) -> Vec<u32> {
        let mut shape = vec![0; buckets];
        for (at, counts) in self.agents.get(&agent).into_iter().flatten() {
            let age = now - at;
            if (0..AGENT_SECONDS_MAX).contains(&age) {
                let from_end = usize::try_from(age).unwrap_or(0) * buckets / 60;
                shape[buckets - 1 - from_end] +=
                    counts.0.as_flattened().iter().map(|count| u32::from(*count)).sum::<u32>();
            }
        }
        shape
    }

    /// Seconds that the minute before `now` was really watched for: less than 60 right after the start.
    pub fn watched_seconds(&self, now: i64) -> i64 {
        self.counting_since.map_or(0, |since| (now - since).clamp(1, AGENT_SECONDS_MAX))
    }
}

fn add<C: Sum>(seconds: &mut VecDeque<(i64, C)>, at: i64, counts: &Counts, keep: i64) {
    // Nearly always the newest second; events of a replay may belong to an older one.
    match seconds.iter_mut().rev().find(|(second, _)| *second <= at) {
        Some((second, sum)) if *second == at => sum.add(counts),
        _ => {
            let place = seconds.iter().position(|(second, _)| *second > at).unwrap_or(seconds.len());
            let mut sum = C::default();
            sum.add(counts);
            seconds.insert(place, (at, sum));
        }
    }
    let newest = seconds.back().map_or(at, |(second, _)| *second);
    while seconds.front().is_some_and(|(second, _)| *second <= newest - keep) {
        seconds.pop_front();
    }
}

fn until<C: Copy>(rows: &VecDeque<(i64, C)>, second: i64) -> VecDeque<(i64, C)> {
    rows.iter().filter(|(at, _)| *at <= second).copied().collect()
}

fn sum<C: Sum>(seconds: &VecDeque<(i64, C)>, now: i64, length: i64) -> Counts {
    let mut total = Counts::default();
    for (_, counts) in seconds.iter().filter(|(at, _)| *at > now - length) {
        counts.add_to(&mut total);
    }
    total
}

/// What events are added up in.
trait Sum: Default {
    fn add(&mut self, counts: &Counts);
    fn add_to(&self, total: &mut Counts);
}

impl Sum for Counts {
    fn add(&mut self, counts: &Counts) {
        self.merge(counts);
    }

    fn add_to(&self, total: &mut Counts) {
        total.merge(self);
    }
}

/// What one agent did in one second, in half the room: there are sixty of these for each of thousands of agents.
#[derive(Clone, Copy, Debug, Default)]
struct SmallCounts([[u16; 3]; 5]);

impl Sum for SmallCounts {
    fn add(&mut self, counts: &Counts) {
        for (kind, row) in EventKind::ALL.iter().zip(&mut self.0) {
            for (verdict, mine) in Verdict::ALL.iter().zip(row) {
                let theirs = u16::try_from(counts.get(*kind, *verdict)).unwrap_or(u16::MAX);
                *mine = mine.saturating_add(theirs);
            }
        }
    }

    fn add_to(&self, total: &mut Counts) {
        for (kind, row) in EventKind::ALL.iter().zip(&self.0) {
            for (verdict, mine) in Verdict::ALL.iter().zip(row) {
                total.add_many(*kind, *verdict, u32::from(*mine));
            }
        }
    }
}

/// Counters in the order of the words; words of a newer server are left out (the total has them).
fn by_word<const N: usize>(counters: &BTreeMap<String, u64>, words: &[&str]) -> [u64; N] {
    let mut out = [0; N];
    for (place, word) in out.iter_mut().zip(words) {
        *place = counters.get(*word).copied().unwrap_or(0);
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tyr_api::events::{EventKind, Verdict};
    use uuid::Uuid;

    use super::Rates;
    use crate::tui::state::feed::Counts;
    use crate::tui::state::testing::stats;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn jitter_makes_neither_holes_nor_doubles_but_an_outage_does() {
        let mut rates = Rates::default();
        for (second, events) in [(100_000, 1), (101_001, 2), (101_999, 3), (103_001, 4), (120_000, 5)] {
            rates.push(&stats(at(second), events));
        }
        let series: Vec<_> = rates.series(21).into_iter().map(|s| s.map(|s| s.events)).collect();
        assert_eq!(series[..4], [Some(1), Some(2), Some(3), Some(4)]);
        assert!(series[4..20].iter().all(Option::is_none));
        assert_eq!(series[20], Some(5));
    }

    #[test]
    fn summary_rests_on_what_was_seen() {
        let mut rates = Rates::default();
        assert_eq!(rates.summary(60), None);
        for second in 0..10 {
            rates.push(&stats(at(second * 1_000), u64::try_from(second).unwrap()));
        }
        let summary = rates.summary(60).unwrap();
        assert_eq!((summary.now, summary.p50, summary.p99, summary.max, summary.seconds), (9, 4, 9, 9, 10));
        let (all, by_verdict, _) = rates.sums(5);
        assert_eq!((all, by_verdict[0]), (35, 35));
    }

    #[test]
    fn replayed_events_count_in_their_own_second() {
        let mut rates = Rates::default();
        let agent = Uuid::from_u128(1);
        let mut one = Counts::default();
        one.add(EventKind::Exec, Verdict::Deny);
        rates.count(agent, 100, &one);
        rates.count(agent, 60, &one);
        rates.count(agent, 100, &one);
        rates.count(agent, 10, &one);
        assert_eq!(rates.received_of(agent, 100).total(), 3);
        assert_eq!(rates.received_of(agent, 100).get(EventKind::Exec, Verdict::Deny), 3);
        assert_eq!(rates.shape_of(agent, 100, 12)[11], 2);
        rates.prune(200);
        assert_eq!(rates.received_of(agent, 100).total(), 0);
    }
}
