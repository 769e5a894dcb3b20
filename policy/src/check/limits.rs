//! Does the policy fit the tables that the kernel judges by? Better refused when it's applied than on a host.

use super::Checker;
use crate::eval::{Effective, Layer, RuleRef};
use crate::image::{Image, ImageError};
use crate::policy::Policy;
use crate::profile::{Profiles, ProfilesError};
use crate::syntax::Place;
use crate::words::Action;

/// Gives the policy back if it fits; without a problem so far, `places` has one place per rule.
pub(super) fn check(checker: &mut Checker, policy: Policy, places: &[Place]) -> Option<Policy> {
    if !checker.problems.is_empty() {
        return None;
    }
    let mut effective = Effective::new(vec![Layer { version: 0, agent_type: None, policy }]);
    // Rules of all actions are to fit as well, not only those that the kernel has tables for.
    let fits = Profiles::new(&effective, Action::ALL).map_err(ImageError::from);
    if let Err(error) = fits.and_then(|_| Image::new(&effective)) {
        let narrows = |r: &RuleRef<'_>| !r.rule.binaries.is_empty() || !r.rule.agent_types.is_empty();
        let mut rules = effective.rules();
        let at = match &error {
            ImageError::Profiles(ProfilesError::Binaries(cause)) => {
                rules.position(|r| r.rule.binaries.iter().any(|glob| glob.as_str() == cause.text))
            }
            ImageError::Profiles(ProfilesError::TooMany) | ImageError::ProgramWords { .. } => {
                rules.position(|r| narrows(&r))
            }
            ImageError::TooManyLists => rules.position(|r| r.rule.action == Action::NetConnect && narrows(&r)),
            ImageError::Files { .. }
            | ImageError::FileWords { .. }
            | ImageError::Net(_)
            | ImageError::Conditional { .. } => error.index().map(usize::from),
        };
        let message = match &error {
            ImageError::Profiles(ProfilesError::Binaries(cause)) => format!("{error}: {cause}"),
            ImageError::Files { source, .. } => format!("{error}: {source}"),
            _ => error.to_string(),
        };
        let hint = match &error {
            ImageError::Net(_) => {
                "put the addresses of rules with the same verdict into one rule, or into wider blocks"
            }
            ImageError::Files { .. } => {
                "fewer `?`, `*` and sets behind `**` in one pattern; `/x/**` in place of `**/x/**` where the place is known"
            }
            ImageError::FileWords { .. } => "fewer rules, or patterns that begin with `/` in place of `**`",
            _ => "use fewer and plainer `binaries`, or overlays in place of `agent_types`",
        };
        checker.problem(places[at.unwrap_or_default()], message, hint.to_owned());
    }
    effective.take_layers().pop().map(|layer| layer.policy)
}
