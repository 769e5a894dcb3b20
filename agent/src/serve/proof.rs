//! Is what is reported as enforced really enforced? Tried once a minute, and told when it is not.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};
use tyr_policy::Guard;
use tyr_proto::v1::{self, CapabilityReport};

use crate::clock::unix_us_now;
use crate::fanotify::Fanotify;
use crate::fault::chain;
use crate::kernel::{CanaryError, Kernel, Posture};
use crate::policies::Policies;
use crate::status::{Denial, Proof, ProvenTables};

/// How often a denial is tried and the tables are read back; and at once when another policy is in force.
const EVERY: Duration = Duration::from_mins(1);

/// Tries until it is dropped, and shows what came of it. While a trial fails, the report says that less is enforced, and why.
pub(super) async fn run(
    kernel: Arc<Kernel>,
    fanotify: Option<Arc<Fanotify>>,
    policies: Arc<Policies>,
    report: watch::Sender<CapabilityReport>,
    proof: watch::Sender<Proof>,
) {
    let best = report.borrow().clone();
    let mut generations = policies.generations();
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut overdue = 0;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            Ok(()) = generations.changed() => {}
        }
        generations.mark_unchanged();
        let (kernel, asking, policies) = (Arc::clone(&kernel), fanotify.clone(), Arc::clone(&policies));
        let trials = tokio::task::spawn_blocking(move || Trials::make(&kernel, asking.as_deref(), &policies));
        let Ok(trials) = trials.await else { continue };
        if let Some(late) = fanotify.as_ref().map(|fanotify| fanotify.overdue()).filter(|late| *late > overdue) {
            warn!(answers = late - overdue, "opens were answered in place of a thread that was late");
            overdue = late;
        }
        let now = match &trials.fanotify_fault {
            Some(fault) => without_fanotify(&best, fault),
            None => best.clone(),
        };
        let now = with_fault(&now, trials.fault);
        proof.send_replace(trials.proof);
        report.send_if_modified(|told| {
            if *told == now {
                return false;
            }
            if now == best {
                info!("what is reported as enforced is enforced again");
            } else {
                error!(reason = now.posture_reason, "what is reported as enforced is not");
            }
            *told = now;
            true
        });
    }
}

/// What the trials showed.
struct Trials {
    proof: Proof,
    /// Why nothing counts as enforced.
    fault: Option<String>,
    /// Why fanotify doesn't.
    fanotify_fault: Option<String>,
}

impl Trials {
    fn make(kernel: &Kernel, fanotify: Option<&Fanotify>, policies: &Policies) -> Self {
        let (posture, _) = kernel.posture();
        let denial = (posture == Posture::Enforcing)
            .then(|| denial(kernel.try_denial().map_err(|error| (is_through(&error), chain(&error)))));
        let refused = fanotify.map(|fanotify| {
            let failed = |(path, error): (PathBuf, CanaryError)| {
                (is_through(&error), format!("on {}: {}", path.display(), chain(&error)))
            };
            self::denial(fanotify.try_denials(kernel).map_err(failed))
        });
        let (tables, tables_fault) = tables(kernel, policies);
        Self {
            fault: denial.as_ref().and_then(|denial| denial.fault.clone()).or(tables_fault),
            fanotify_fault: refused.as_ref().and_then(|refused| refused.fault.clone()),
            proof: Proof { denial: denial.or(refused), tables },
        }
    }
}

fn is_through(error: &CanaryError) -> bool {
    matches!(error, CanaryError::Opened)
}

/// A trial; of one that failed, whether it went through, and why.
fn denial(trial: Result<(), (bool, String)>) -> Denial {
    let (went_through, fault) = trial.err().map_or((false, None), |(through, fault)| (through, Some(fault)));
    Denial { tried_unix_us: unix_us_now(), went_through, fault }
}

/// The tables as they were read back, and what is wrong with them.
fn tables(kernel: &Kernel, policies: &Policies) -> (Option<ProvenTables>, Option<String>) {
    match kernel.tables() {
        Ok(None) => (None, None),
        Ok(Some(tables)) => {
            let fault =
                (!tables.intact).then(|| "the policy's tables in the kernel are not what was written".to_owned());
            let policy = policies.of_generation(tables.generation);
            let guard = policy.effective.guard().map(Guard::id).unwrap_or_default();
            let proven = ProvenTables { policy_id: policy.policy_id.clone(), guard, digest: tables.digest };
            (Some(proven), fault)
        }
        Err(error) => (None, Some(format!("the policy's tables can't be read back: {}", chain(&error)))),
    }
}

/// The report where fanotify does not refuse what it should: network rules are enforced all the same.
fn without_fanotify(best: &CapabilityReport, fault: &str) -> CapabilityReport {
    let features = best.features.iter().filter(|feature| *feature != "fanotify").cloned().collect();
    CapabilityReport { features, posture_reason: format!("fanotify refuses nothing {fault}"), ..best.clone() }
}

/// The report with what a trial showed: nothing counts as enforced then.
fn with_fault(best: &CapabilityReport, fault: Option<String>) -> CapabilityReport {
    let Some(fault) = fault else { return best.clone() };
    CapabilityReport { posture: v1::Posture::Observing.into(), posture_reason: fault, ..best.clone() }
}

#[cfg(test)]
mod tests {
    use super::with_fault;
    use tyr_proto::v1::{CapabilityReport, Posture};

    #[test]
    fn a_fault_lowers_the_posture_until_it_is_gone() {
        let posture = Posture::Enforcing.into();
        let best = CapabilityReport { posture, posture_reason: "all".into(), ..CapabilityReport::default() };
        let told = with_fault(&best, Some("it was not denied".into()));
        assert_eq!((told.posture(), told.posture_reason.as_str()), (Posture::Observing, "it was not denied"));
        assert_eq!(with_fault(&best, None), best);
    }
}
