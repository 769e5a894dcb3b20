//! Is what is reported as enforced really enforced? Tried once a minute, and told when it is not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};
use tyr_policy::Guard;
use tyr_proto::v1::{self, CapabilityReport};

use crate::clock::unix_us_now;
use crate::fault::chain;
use crate::kernel::{CanaryError, Kernel, Posture};
use crate::policies::Policies;
use crate::status::{Denial, Proof, ProvenTables};

/// How often a denial is tried and the tables are read back; and at once when another policy is in force.
const EVERY: Duration = Duration::from_mins(1);

/// Tries until it is dropped, and shows what came of it. While a trial fails, the report says that less is enforced, and why.
pub(super) async fn run(
    kernel: Arc<Kernel>,
    policies: Arc<Policies>,
    report: watch::Sender<CapabilityReport>,
    proof: watch::Sender<Proof>,
) {
    let (posture, _) = kernel.posture();
    let best = report.borrow().clone();
    let mut generations = policies.generations();
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            Ok(()) = generations.changed() => {}
        }
        generations.mark_unchanged();
        let (trying, policies) = (Arc::clone(&kernel), Arc::clone(&policies));
        let Ok((shown, fault)) = tokio::task::spawn_blocking(move || try_all(&trying, posture, &policies)).await else {
            continue;
        };
        proof.send_replace(shown);
        let now = with_fault(&best, fault);
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

/// What the trials show, and why not all is enforced, if so.
fn try_all(kernel: &Kernel, posture: Posture, policies: &Policies) -> (Proof, Option<String>) {
    let denial = (posture == Posture::Enforcing).then(|| {
        let trial = kernel.try_denial();
        Denial {
            tried_unix_us: unix_us_now(),
            went_through: matches!(trial, Err(CanaryError::Opened)),
            fault: trial.err().map(|error| chain(&error)),
        }
    });
    let (tables, fault) = match kernel.tables() {
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
    };
    let fault = denial.as_ref().and_then(|denial| denial.fault.clone()).or(fault);
    (Proof { denial, tables }, fault)
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
