//! What follows from a condition: pending, firing, resolved. Pure: the clock and the condition go in, where the alert stands comes out.
//!
//! A condition has to hold for some evaluations before its alert fires, and has to be gone for a while before it resolves. An
//! alert that fires for the third time within an hour is flapping: it then stays until its condition was gone for 15 min.

use jiff::{SignedDuration, Timestamp};
use tyr_api::alerts::{AlertRule, AlertState};

use crate::app::alerts::rules::Condition;
use crate::db::alerts::rows::Standing;

/// How often an alert has to fire within [`FLAPPING_SPAN`] to be flapping.
pub const FLAPPING_FIRES: u64 = 3;
/// The span in which fires are counted.
pub const FLAPPING_SPAN: SignedDuration = SignedDuration::from_hours(1);
/// How long the condition of a flapping alert has to be gone.
pub const FLAPPING_QUIET: SignedDuration = SignedDuration::from_mins(15);

/// How hasty a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damping {
    /// Evaluations in a row in which the condition has to hold.
    pub evaluations: u32,
    /// How long it has to be gone.
    pub quiet: SignedDuration,
}

impl Damping {
    /// That of a rule.
    pub const fn of(rule: AlertRule) -> Self {
        let (evaluations, quiet_s) = match rule {
            AlertRule::Stale | AlertRule::PostureFell => (2, 60),
            AlertRule::Silent => (2, 0),
            AlertRule::DenySpike => (2, 120),
            AlertRule::Drift | AlertRule::SustainedDrift | AlertRule::Loss => (1, 0),
        };
        Self { evaluations, quiet: SignedDuration::from_secs(quiet_s) }
    }
}

/// Where an alert stands after an evaluation; `None`: there is none, and there was none. `open` is the one that was pending or
/// firing; `fires` says how often the rule fired for this agent within [`FLAPPING_SPAN`].
pub fn next(
    damping: Damping,
    now: Timestamp,
    condition: Condition,
    open: Option<Standing>,
    fires: u64,
) -> Option<Standing> {
    match (open, condition) {
        (None, Condition::Holds) => {
            let begun = Standing {
                state: AlertState::Pending,
                since: now,
                changed_at: now,
                fired_at: None,
                resolved_at: None,
                clear_since: None,
                evaluations: 0,
                flapping: false,
            };
            Some(held(damping, now, begun, fires))
        }
        (None, _) => None,
        (Some(open), Condition::Unknown) => Some(open),
        (Some(open), Condition::Gone) => Some(resolved(now, open)),
        (Some(open), Condition::Holds) => Some(held(damping, now, open, fires)),
        (Some(open), Condition::Clear) if open.state == AlertState::Pending => Some(resolved(now, open)),
        (Some(open), Condition::Clear) => {
            let clear_since = open.clear_since.unwrap_or(now);
            let quiet = if open.flapping { damping.quiet.max(FLAPPING_QUIET) } else { damping.quiet };
            let open = Standing { clear_since: Some(clear_since), ..open };
            Some(if now.duration_since(clear_since) >= quiet { resolved(now, open) } else { open })
        }
    }
}

fn held(damping: Damping, now: Timestamp, open: Standing, fires: u64) -> Standing {
    let held = Standing { clear_since: None, evaluations: damping.evaluations.min(open.evaluations + 1), ..open };
    if open.state == AlertState::Pending && held.evaluations >= damping.evaluations {
        let flapping = fires + 1 >= FLAPPING_FIRES;
        return Standing { state: AlertState::Firing, changed_at: now, fired_at: Some(now), flapping, ..held };
    }
    held
}

fn resolved(now: Timestamp, open: Standing) -> Standing {
    Standing { state: AlertState::Resolved, changed_at: now, resolved_at: Some(now), ..open }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: Damping = Damping::of(AlertRule::Stale);

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + s).expect("an instant")
    }

    /// Runs conditions, 15 s apart, and gives the states with the second of each change.
    fn run(damping: Damping, conditions: &[Condition]) -> Vec<(i64, AlertState)> {
        let (mut open, mut fires, mut changes) = (None, 0, Vec::new());
        for (n, condition) in conditions.iter().enumerate() {
            let s = 15 * i64::try_from(n).expect("few");
            let before = open.map(|open: Standing| open.state);
            let after = next(damping, at(s), *condition, open, fires);
            if let Some(after) = after.filter(|after| Some(after.state) != before) {
                assert_eq!(after.changed_at, at(s));
                changes.push((s, after.state));
                fires += u64::from(after.state == Firing);
            }
            open = after.filter(|after| after.state != Resolved);
        }
        changes
    }

    use AlertState::{Firing, Pending, Resolved};
    use Condition::{Clear, Gone, Holds, Unknown};

    #[test]
    fn fires_after_its_evaluations_and_resolves_after_its_quiet() {
        let conditions = [vec![Clear, Holds, Holds, Holds], vec![Clear; 8]].concat();
        assert_eq!(run(STALE, &conditions), [(15, Pending), (30, Firing), (120, Resolved)]);
    }

    #[test]
    fn one_that_fires_at_once_does_so() {
        let at_once = Damping::of(AlertRule::Drift);
        assert_eq!(run(at_once, &[Holds, Holds, Clear, Clear]), [(0, Firing), (30, Resolved)]);
    }

    #[test]
    fn a_short_absence_changes_nothing() {
        let conditions = [vec![Holds; 2], vec![Clear; 3], vec![Holds], vec![Clear; 4], vec![Holds]].concat();
        assert_eq!(run(STALE, &conditions), [(0, Pending), (15, Firing)]);
        assert_eq!(
            run(STALE, &[Holds, Clear, Holds, Clear]),
            [(0, Pending), (15, Resolved), (30, Pending), (45, Resolved)]
        );
    }

    #[test]
    fn not_knowing_changes_nothing() {
        let conditions = [vec![Unknown, Holds, Unknown, Holds], vec![Unknown; 40], vec![Clear; 5]].concat();
        assert_eq!(run(STALE, &conditions), [(15, Pending), (45, Firing), (720, Resolved)]);
        assert_eq!(run(STALE, &[Unknown; 3]), []);
    }

    #[test]
    fn an_agent_that_is_archived_ends_its_alerts_at_once() {
        assert_eq!(run(STALE, &[Holds, Holds, Gone, Gone]), [(0, Pending), (15, Firing), (30, Resolved)]);
        assert_eq!(run(STALE, &[Gone]), []);
    }

    #[test]
    fn the_third_fire_within_the_hour_is_flapping_and_stays_longer() {
        let episode = [vec![Holds; 2], vec![Clear; 6]].concat();
        let conditions = [episode.clone(), episode.clone(), episode, vec![Clear; 60]].concat();
        let changes = run(STALE, &conditions);
        let fires: Vec<i64> = changes.iter().filter(|(_, state)| *state == Firing).map(|(s, _)| *s).collect();
        let ends: Vec<i64> = changes.iter().filter(|(_, state)| *state == Resolved).map(|(s, _)| *s).collect();
        assert_eq!(fires.len(), 3);
        // It was clear from the evaluation after the last one in which it held.
        assert_eq!(ends, [90, 210, fires[2] + 15 + 15 * 60]);
    }

    #[test]
    fn a_clock_that_goes_back_resolves_nothing_early() {
        let firing = next(STALE, at(0), Holds, None, 0).and_then(|open| next(STALE, at(15), Holds, Some(open), 0));
        let clear = next(STALE, at(1000), Clear, firing, 0);
        let back = next(STALE, at(100), Clear, clear, 0).expect("there");
        assert_eq!(back.state, Firing);
        assert_eq!(back.clear_since, Some(at(1000)));
    }
}
