//! The loss ledger: how many events were made and could not be kept, by kind, verdict and reason.

use std::collections::BTreeMap;

use tyr_proto::v1::Loss;

/// Reason of events for which the spool had no room.
pub(super) const SPOOL_FULL: &str = "spool_full";
/// Reason of events that are larger than any message may be.
pub(super) const TOO_LARGE: &str = "too_large";
/// Reason of events that the server did not take, over and over, each alone.
pub(super) const REFUSED: &str = "refused";
/// Reasons of events that the spool has counted as appended. All others never came to it.
const IN_SPOOL: [&str; 3] = [SPOOL_FULL, TOO_LARGE, REFUSED];

/// Cumulative totals of one spool epoch.
#[derive(Debug, Default)]
pub(super) struct Losses {
    totals: BTreeMap<(i32, i32, &'static str), Total>,
}

#[derive(Debug, Default)]
struct Total {
    count: u64,
    reported: u64,
}

impl Losses {
    /// Counts `count` more.
    pub(super) fn add(&mut self, kind: i32, verdict: i32, reason: &'static str, count: u64) {
        self.totals.entry((kind, verdict, reason)).or_default().count += count;
    }

    /// Sets a total that is counted elsewhere; false when it is not higher than before.
    pub(super) fn raise(&mut self, kind: i32, verdict: i32, reason: &'static str, total: u64) -> bool {
        if total == 0 {
            return false;
        }
        let entry = self.totals.entry((kind, verdict, reason)).or_default();
        let raised = total > entry.count;
        entry.count = entry.count.max(total);
        raised
    }

    /// Whether a total differs from what was last reported.
    pub(super) fn changed(&self) -> bool {
        self.totals.values().any(|total| total.count != total.reported)
    }

    /// The totals that differ from what was last reported, which counts as reported from now on.
    pub(super) fn take_changed(&mut self) -> Vec<Loss> {
        let changed = self.totals.iter_mut().filter(|(_, total)| total.count != total.reported);
        changed
            .map(|(key, total)| {
                total.reported = total.count;
                loss(*key, total.count)
            })
            .collect()
    }

    /// All totals.
    pub(super) fn all(&self) -> Vec<Loss> {
        self.totals.iter().map(|(key, total)| loss(*key, total.count)).collect()
    }

    /// All events lost.
    pub(super) fn total(&self) -> u64 {
        self.totals.values().map(|total| total.count).sum()
    }

    /// Events lost before they reached the spool, which has not counted them as appended.
    pub(super) fn total_before_spool(&self) -> u64 {
        let before = self.totals.iter().filter(|((_, _, reason), _)| !IN_SPOOL.contains(reason));
        before.map(|(_, total)| total.count).sum()
    }
}

fn loss((kind, verdict, reason): (i32, i32, &'static str), count: u64) -> Loss {
    Loss { kind, verdict, reason: reason.to_owned(), count }
}
