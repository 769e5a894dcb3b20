//! Is what is reported as enforced really enforced? Tried once a minute, and told when it is not.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};
use tyr_proto::v1::{self, CapabilityReport};

use crate::clock::unix_us_now;
use crate::fanotify::Fanotify;
use crate::fault::chain;
use crate::kernel::{CanaryError, Kernel, Posture};
use crate::status::Denial;

/// How often a denial is tried and the tables are read back.
const EVERY: Duration = Duration::from_mins(1);

/// What the last trial showed.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<Option<Denial>>);

impl Proofs {
    /// The last denial that was tried; `None` where none can be.
    pub(super) fn last(&self) -> Option<Denial> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tries until it is dropped. While a trial fails, the report says that less is enforced, and why.
pub(super) async fn run(
    kernel: Arc<Kernel>,
    fanotify: Option<Arc<Fanotify>>,
    report: watch::Sender<CapabilityReport>,
    proofs: Arc<Proofs>,
) {
    let (posture, _) = kernel.posture();
    let best = report.borrow().clone();
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut overdue = 0;
    loop {
        every.tick().await;
        let (trying, asking) = (Arc::clone(&kernel), fanotify.clone());
        let Ok((denial, refused, tables)) = tokio::task::spawn_blocking(move || {
            let denial = (posture == Posture::Enforcing).then(|| trying.try_denial().map_err(|error| chain(&error)));
            let refused = asking.map(|fanotify| fanotify_fault(&trying, &fanotify));
            (denial, refused, tables_fault(&trying))
        })
        .await
        else {
            continue;
        };
        if let Some(fault) = denial.as_ref().map(|denial| denial.clone().err()).or(refused.clone()) {
            let last = Denial { tried_unix_us: unix_us_now(), fault };
            *proofs.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        }
        if let Some(late) = fanotify.as_ref().map(|fanotify| fanotify.overdue()).filter(|late| *late > overdue) {
            warn!(answers = late - overdue, "opens were answered in place of a thread that was late");
            overdue = late;
        }
        let now = match refused.flatten() {
            Some(fault) => without_fanotify(&best, &fault),
            None => best.clone(),
        };
        let now = with_fault(&now, denial.and_then(Result::err).or(tables));
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

fn fanotify_fault(kernel: &Kernel, fanotify: &Fanotify) -> Option<String> {
    let failed = |(path, error): (PathBuf, CanaryError)| format!("on {}: {}", path.display(), chain(&error));
    fanotify.try_denials(kernel).map_err(failed).err()
}

/// The report where fanotify does not refuse what it should: network rules are enforced all the same.
fn without_fanotify(best: &CapabilityReport, fault: &str) -> CapabilityReport {
    let features = best.features.iter().filter(|feature| *feature != "fanotify").cloned().collect();
    CapabilityReport { features, posture_reason: format!("fanotify refuses nothing {fault}"), ..best.clone() }
}

fn tables_fault(kernel: &Kernel) -> Option<String> {
    match kernel.tables() {
        Ok(Some(tables)) if !tables.intact => {
            Some("the policy's tables in the kernel are not what was written".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(format!("the policy's tables can't be read back: {}", chain(&error))),
    }
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
