//! Drift: the server's own judgement of each event, under the policy that should have been in force when it happened.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tyr_api::events::{DriftReason, Event, EventKind, Verdict};
use tyr_policy::{Action, Compiled, Effective, Guard, Layer, Policy, Recorded, Unregistered};
use uuid::Uuid;

use crate::app::App;
use crate::db::{DbError, agents, effective_policies};

/// Around a change both policies are right: a push takes its time, and clocks differ.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How far back an agent's history is needed: as far as events are taken.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * (crate::db::partitions::LATE_DAYS_MAX + 1));
/// Effective policies kept ready.
const CACHED_MAX: usize = 256;

/// Effective policies that are ready to judge, by digest.
#[derive(Debug, Default)]
pub struct Judge {
    ready: Mutex<HashMap<String, Option<Arc<Ready>>>>,
}

/// What one agent should have run from when on.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Oldest first; the first one reaches back for ever, so that there is one for every moment.
    spans: Vec<Span>,
}

#[derive(Clone, Debug)]
struct Span {
    from: Timestamp,
    policy_id: Option<String>,
    /// `None`: the stored text can't be read any more, so nothing is judged.
    effective: Option<Arc<Ready>>,
}

/// An effective policy, ready to judge: as it is, and as it holds for AI processes of types that are not registered, where the agent
/// quarantines or denies them.
#[derive(Debug)]
pub(super) struct Ready {
    plain: Compiled,
    guarded: [OnceLock<Compiled>; 2],
}

impl Ready {
    fn new(layers: Vec<Layer>) -> Self {
        Self { plain: Compiled::new(Effective::new(layers)), guarded: Default::default() }
    }

    /// The layers of the policy.
    pub(super) fn layers(&self) -> &[Layer] {
        self.plain.effective().layers()
    }

    /// What holds for an event. Agents say which of theirs they guarded: a guard is never weaker than the policy, so who claims one
    /// hides no missed denial.
    fn of(&self, event: &Event) -> &Compiled {
        let what = event.metadata.get("unregistered").and_then(|word| word.parse().ok());
        let what = what.unwrap_or(Unregistered::Audit);
        let guarded = match what {
            Unregistered::Audit => return &self.plain,
            Unregistered::Quarantine => &self.guarded[0],
            Unregistered::Deny => &self.guarded[1],
        };
        guarded.get_or_init(|| {
            // Of a type that is not among none.
            let guard = Guard::new(what, BTreeSet::new());
            Compiled::new(Effective::guarded(self.layers().to_vec(), guard))
        })
    }
}

impl Timeline {
    /// Reads an agent's history.
    pub async fn load(app: &App, agent_id: Uuid) -> Result<Self, DbError> {
        let mut conn = app.pool.acquire().await?;
        let history = agents::policy_history(&mut conn, agent_id, Timestamp::now() - HISTORY).await?;
        drop(conn);
        let mut spans = Vec::with_capacity(history.len() + 1);
        spans.push(Span { from: Timestamp::MIN, policy_id: None, effective: Some(nothing()) });
        for (from, policy_id) in history {
            let effective = match &policy_id {
                Some(policy_id) => app.judge.effective(app, policy_id).await?,
                None => Some(nothing()),
            };
            spans.push(Span { from, policy_id, effective });
        }
        Ok(Self { spans })
    }

    /// Judges an event, and fills in `server_verdict`, `drift_detected` and `drift_reason`.
    ///
    /// The policy is the one that the agent names, if that was in force within ten seconds of the event, else the one that
    /// was in force at the event. What can't be judged (an address that is none) has no `server_verdict` and no drift.
    pub fn judge(&self, event: &mut Event) {
        let span = self.deciding(event);
        let stale = span.policy_id != event.policy_id;
        let verdict = span.effective.as_ref().and_then(|effective| verdict(effective.of(event), event));
        event.server_verdict = verdict;
        event.drift_detected = verdict.is_some_and(|verdict| verdict != event.verdict);
        event.drift_reason = event.drift_detected.then(|| {
            if event.metadata.get("not_enforced").is_some_and(|word| word == "true") {
                DriftReason::NotEnforcedHere
            } else if stale {
                DriftReason::StalePolicy
            } else {
                DriftReason::VerdictDiffers
            }
        });
    }

    fn deciding(&self, event: &Event) -> &Span {
        let at = |instant: Timestamp| self.spans.partition_point(|span| span.from <= instant).saturating_sub(1);
        let before = at(event.ts.saturating_sub(GRACE).expect("a duration has no calendar units"));
        let after = at(event.ts.saturating_add(GRACE).expect("a duration has no calendar units"));
        let named = self.spans[before..=after].iter().rev().find(|span| span.policy_id == event.policy_id);
        named.unwrap_or_else(|| &self.spans[at(event.ts)])
    }
}

impl Judge {
    /// An effective policy, ready to judge. `None` when its text can't be read by this server any more.
    pub(super) async fn effective(&self, app: &App, policy_id: &str) -> Result<Option<Arc<Ready>>, DbError> {
        if let Some(ready) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(policy_id) {
            return Ok(ready.clone());
        }
        let rows = effective_policies::layers(&app.pool, policy_id).await?;
        let mut layers = Vec::with_capacity(rows.len());
        let mut readable = !rows.is_empty();
        for row in rows {
            match Policy::parse_stored(&row.yaml) {
                Ok(checked) => layers.push(Layer {
                    version: row.version.unsigned_abs(),
                    agent_type: row.agent_type,
                    policy: checked.policy,
                }),
                Err(error) => {
                    tracing::error!(policy.version = row.version, %error, "a stored policy can't be read, its events are not judged");
                    readable = false;
                }
            }
        }
        let effective = readable.then(|| Arc::new(Ready::new(layers)));
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= CACHED_MAX {
            ready.clear();
        }
        ready.insert(policy_id.to_owned(), effective.clone());
        Ok(effective)
    }
}

/// No policy, which allows everything.
fn nothing() -> Arc<Ready> {
    static NOTHING: LazyLock<Arc<Ready>> = LazyLock::new(|| Arc::new(Ready::new(Vec::new())));
    Arc::clone(&NOTHING)
}

/// What a policy says of an event; `None` when its resource can't be read.
fn verdict(effective: &Compiled, event: &Event) -> Option<Verdict> {
    let action = match event.kind {
        EventKind::FileRead => Action::FileRead,
        EventKind::FileWrite => Action::FileWrite,
        EventKind::Exec => Action::Exec,
        EventKind::NetConnect => Action::NetConnect,
        EventKind::TlsConnect => Action::TlsConnect,
    };
    let recorded = Recorded {
        action,
        resource: &event.resource,
        protocol: None,
        truncated: false,
        guarded: false,
        agent_type: event.agent_type.as_deref(),
        exe: &event.process_exe,
        caller: None,
        cmdline: &event.cmdline,
        uid: -1,
        rule: event.rule.as_deref(),
        earlier: false,
    };
    let judgement = effective.judge_recorded(&recorded.with_metadata(&event.metadata))?;
    Some(match judgement.verdict {
        tyr_policy::Verdict::Allow => Verdict::Allow,
        tyr_policy::Verdict::Alert => Verdict::Alert,
        // Conditions are asked too late to refuse anything, unless something else did.
        tyr_policy::Verdict::Deny if judgement.condition.is_some() && event.verdict != Verdict::Deny => Verdict::Alert,
        tyr_policy::Verdict::Deny => Verdict::Deny,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tyr_api::events::{Event, EventKind, Severity, Verdict};
    use tyr_policy::{Compiled, Effective, Layer, Policy};
    use uuid::Uuid;

    use super::{Ready, verdict};

    fn event(cmdline: &str, verdict: Verdict) -> Event {
        serde_json::from_value(serde_json::json!({
            "event_id": Uuid::nil(), "agent_id": Uuid::nil(), "agent_name": "a", "kind": EventKind::Exec, "resource": "/bin/sh",
            "verdict": verdict, "server_verdict": null, "drift_detected": false, "drift_reason": null, "severity": Severity::Low,
            "policy_id": null, "policy_version": null, "rule": null, "pid": 1, "process_exe": "/bin/sh", "cmdline": cmdline,
            "agent_type": null, "discovered_agent_id": null, "ts": "2026-11-22T19:00:00Z", "received_at": "2026-11-22T19:00:00Z",
            "metadata": BTreeMap::from([("uid", "0")]),
        }))
        .expect("an event")
    }

    /// What a version with larger tables stored is judged by the plain evaluator.
    #[test]
    fn a_policy_that_is_too_much_for_the_kernels_tables_still_judges() {
        let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n".to_owned();
        for n in 0..9 {
            // Each binary doubles the sets of rules that can apply.
            let rule = format!(
                "    - {{name: r{n}, action: exec, verdict: deny, resource_pattern: /opt/{n}, binaries: ['**/{n}**']}}\n"
            );
            yaml.push_str(&rule);
        }
        let error = Policy::parse(&yaml).expect_err("too much for tables").to_string();
        assert!(error.contains("different sets of rules"), "{error}");
        let policy = Policy::parse_stored(&yaml).expect("readable").policy;
        let compiled = Compiled::new(Effective::new(vec![Layer { version: 1, agent_type: None, policy }]));
        let judged = |resource: &str, caller: &str| {
            let mut event = event("x", Verdict::Allow);
            event.resource = resource.to_owned();
            event.metadata.insert("caller".to_owned(), caller.to_owned());
            verdict(&compiled, &event)
        };
        assert_eq!(judged("/opt/7", "/usr/bin/7"), Some(Verdict::Deny));
        assert_eq!(judged("/opt/7", "/usr/bin/6"), Some(Verdict::Allow));
    }

    /// The kernel judges before the new program takes the caller's place.
    #[test]
    fn binaries_of_exec_rules_are_about_the_program_that_starts_another() {
        let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n    \
            - {name: a, action: exec, verdict: deny, binaries: ['/bin/sh']}\n";
        let policy = Policy::parse(yaml).expect("a policy").policy;
        let compiled = Compiled::new(Effective::new(vec![Layer { version: 1, agent_type: None, policy }]));
        let judged = |caller: Option<&str>| {
            let mut event = event("sh", Verdict::Allow);
            event.metadata.extend(caller.map(|caller| ("caller".to_owned(), caller.to_owned())));
            verdict(&compiled, &event)
        };
        assert_eq!(judged(Some("/usr/bin/node")), Some(Verdict::Allow), "it started /bin/sh");
        assert_eq!(judged(Some("/bin/sh")), Some(Verdict::Deny), "the shell started another one");
        assert_eq!(judged(Some("unknown")), Some(Verdict::Allow), "nobody governed started it");
        assert_eq!(
            judged(None),
            Some(Verdict::Deny),
            "refused: the event is the caller's own, as are those of older agents"
        );
    }

    /// What an agent did by its guard is judged by the guard, which no claim of one can weaken.
    #[test]
    fn types_that_are_not_registered_are_judged_as_where_they_ran() {
        let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n    \
            - {name: no, action: exec, verdict: deny, resource_pattern: /opt/no}\n";
        let policy = Policy::parse(yaml).expect("a policy").policy;
        let ready = Ready::new(vec![Layer { version: 1, agent_type: None, policy }]);
        let judged = |resource: &str, word: Option<&str>| {
            let mut event = event("x", Verdict::Allow);
            event.resource = resource.to_owned();
            event.metadata.extend(word.map(|word| ("unregistered".to_owned(), word.to_owned())));
            verdict(ready.of(&event), &event)
        };
        for word in [Some("quarantine"), Some("deny")] {
            assert_eq!(judged("/opt/tool", word), Some(Verdict::Deny), "{word:?}");
            assert_eq!(judged("/opt/no", word), Some(Verdict::Deny), "{word:?}");
        }
        assert_eq!(judged("/usr/bin/git", Some("quarantine")), Some(Verdict::Allow));
        for word in [None, Some("audit"), Some("\u{1b}[2J")] {
            assert_eq!(judged("/opt/tool", word), Some(Verdict::Allow), "{word:?}");
            assert_eq!(judged("/opt/no", word), Some(Verdict::Deny), "{word:?}");
        }
    }

    #[test]
    fn conditions_are_asked_of_what_the_event_says() {
        let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n    \
            - {name: a, action: exec, verdict: deny, condition: 'context.cmdline like \"*curl*\" && context.uid == 0'}\n";
        let policy = Policy::parse(yaml).expect("a policy").policy;
        let compiled = Compiled::new(Effective::new(vec![Layer { version: 1, agent_type: None, policy }]));
        let judged = |cmdline: &str, agents| verdict(&compiled, &event(cmdline, agents));
        assert_eq!(judged("sh -c ls", Verdict::Allow), Some(Verdict::Allow));
        assert_eq!(judged("sh -c curl", Verdict::Alert), Some(Verdict::Alert), "it came too late to be refused");
        assert_eq!(judged("sh -c curl", Verdict::Allow), Some(Verdict::Alert));
        assert_eq!(judged("sh -c curl", Verdict::Deny), Some(Verdict::Deny));
    }

    #[test]
    fn a_rule_that_a_process_was_held_to_is_not_asked() {
        let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n    \
            - {name: git, action: exec, verdict: allow, resource_pattern: '**/git'}\n    \
            - {name: a, action: exec, verdict: deny, condition: 'context.uid == 7'}\n    \
            - {name: b, action: exec, verdict: deny}\n";
        let policy = |yaml: &str| Policy::parse(yaml).expect("a policy").policy;
        let compiled = |yaml: &str| {
            Compiled::new(Effective::new(vec![Layer { version: 1, agent_type: None, policy: policy(yaml) }]))
        };
        let without_b = yaml.split_once("    - {name: b").expect("it is there").0;
        let judged = |yaml: &str, resource: &str, verdict_there, rule: &str, condition: &str| {
            let mut event = event("sh", verdict_there);
            event.resource = resource.to_owned();
            event.rule = Some(rule.to_owned());
            event.metadata.insert("condition".to_owned(), condition.to_owned());
            verdict(&compiled(yaml), &event)
        };
        let denied = Verdict::Deny;
        assert_eq!(judged(without_b, "/bin/sh", denied, "a", "earlier"), Some(denied));
        assert_eq!(
            judged(without_b, "/bin/sh", denied, "a", "held"),
            Some(Verdict::Allow),
            "its condition does not hold"
        );
        assert_eq!(judged(without_b, "/bin/sh", denied, "c", "earlier"), Some(Verdict::Allow), "there is no such rule");
        assert_eq!(
            judged(without_b, "/usr/bin/git", denied, "a", "earlier"),
            Some(Verdict::Allow),
            "what comes before it"
        );
        assert_eq!(
            judged(yaml, "/bin/sh", Verdict::Allow, "b", "earlier"),
            Some(denied),
            "only rules with a condition"
        );
        assert_eq!(
            judged(without_b, "/bin/sh", Verdict::Allow, "a", "earlier"),
            Some(denied),
            "no claim makes it milder"
        );
    }
}
