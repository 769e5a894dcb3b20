//! Does the policy fit the tables that the kernel judges by? Better refused when it's applied than on a host.

use super::Checker;
use crate::eval::{Effective, Layer};
use crate::policy::Policy;
use crate::profile::{Profiles, ProfilesError};
use crate::syntax::Place;

/// States of the automaton over all `binaries` of a policy.
const PROGRAM_STATES_MAX: usize = 10_000;

/// Gives the policy back if it fits; without a problem so far, `places` has one place per rule.
pub(super) fn check(checker: &mut Checker, policy: Policy, places: &[Place]) -> Option<Policy> {
    if !checker.problems.is_empty() {
        return None;
    }
    let mut effective = Effective::new(vec![Layer { version: 0, agent_type: None, policy }]);
    match Profiles::new(&effective, PROGRAM_STATES_MAX) {
        Ok(profiles) => {
            // One is enough: the others would mostly be the same again.
            if let Some(error) = profiles.profiles().iter().find_map(|profile| effective.network(profile).err()) {
                let hint =
                    "put the addresses of rules with the same verdict into one rule, or into wider blocks".to_owned();
                checker.problem(places[usize::from(error.index())], error.to_string(), hint);
            }
        }
        Err(error) => {
            let mut rules = effective.rules();
            let at = match &error {
                ProfilesError::Binaries(cause) => {
                    rules.position(|r| r.rule.binaries.iter().any(|glob| glob.as_str() == cause.text))
                }
                ProfilesError::TooMany => {
                    rules.position(|r| !r.rule.binaries.is_empty() || !r.rule.agent_types.is_empty())
                }
            };
            let message = match &error {
                ProfilesError::Binaries(cause) => format!("{error}: {cause}"),
                ProfilesError::TooMany => error.to_string(),
            };
            let hint = "use fewer and plainer `binaries`, or overlays in place of `agent_types`".to_owned();
            checker.problem(places[at.unwrap_or_default()], message, hint);
        }
    }
    effective.take_layers().pop().map(|layer| layer.policy)
}
