//! Rules that never match, because an earlier one takes everything they could.

use super::Checker;
use crate::net::NetTarget;
use crate::policy::{Rule, What};
use crate::syntax::Place;

/// Warns of each rule that a single earlier rule hides. Says nothing of rules that several hide together.
pub(super) fn report(checker: &mut Checker, rules: &[(Place, Rule)]) {
    for (at, (place, rule)) in rules.iter().enumerate() {
        // Quadratic in the worst case: 4,096 rules make 8 million cheap comparisons.
        if let Some((_, earlier)) = rules[..at].iter().find(|(_, earlier)| hides(earlier, rule)) {
            checker.warning(
                *place,
                format!("rule `{}` never matches: `{}` before it takes everything", rule.name, earlier.name),
                format!("the first rule that matches wins; `{}` is in line {}", earlier.name, earlier.line),
            );
        }
    }
}

fn hides(earlier: &Rule, later: &Rule) -> bool {
    earlier.condition.is_none()
        && earlier.action == later.action
        && holds_all(&earlier.agent_types, &later.agent_types)
        && holds_all(&earlier.binaries, &later.binaries)
        && covers(earlier, later)
}

/// Empty lists mean all.
fn holds_all<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|item| wide.contains(item))
}

fn covers(earlier: &Rule, later: &Rule) -> bool {
    match (&earlier.what, &later.what) {
        // (A path that is cut short passes allow rules by; nobody writes a rule for that.)
        (What::Path(wide), What::Path(narrow)) => wide.is_any() || wide == narrow,
        (What::ServerName(wide), What::ServerName(narrow)) => wide.is_any() || wide == narrow,
        (What::Net(wide), What::Net(narrow)) => {
            let (about, except) = wide.sides(earlier.verdict);
            let (later_about, _) = narrow.sides(later.verdict);
            except.is_empty()
                && (about.is_empty()
                    || about.iter().any(is_everything)
                    || !later_about.is_empty()
                        && later_about.iter().all(|target| about.iter().any(|own| target_covers(own, target))))
        }
        _ => false,
    }
}

fn is_everything(target: &NetTarget) -> bool {
    target.cidr.is_none() && target.is_whole()
}

fn target_covers(wide: &NetTarget, narrow: &NetTarget) -> bool {
    let block = match (wide.cidr, narrow.cidr) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => wide.covers(&narrow),
        (Some(_), None) => false,
    };
    block
        && wide.ports.start() <= narrow.ports.start()
        && wide.ports.end() >= narrow.ports.end()
        && (wide.protocol.is_none() || wide.protocol == narrow.protocol)
}
