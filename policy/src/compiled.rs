//! An effective policy that is made to judge many actions: the same judgement as [`Effective::judge`], whatever the number of rules.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::automaton::Automaton;
use crate::condition::Facts;
use crate::eval::{Act, Effective, Judgement, Resource, RuleRef};
use crate::glob::Glob;
use crate::policy::What;
use crate::profile::Profiles;
use crate::words::Action;

/// From so many rules on an automaton is faster than one glob after the other.
const AUTOMATON_RULES_MIN: usize = 12;
/// Most states of an automaton, before equal ones are merged.
const STATES_MAX: usize = 8_192;
/// Most words of all automata of a policy together: 16 MiB. What doesn't fit is judged one rule after the other.
const WORDS_MAX: usize = 4 * 1024 * 1024;

/// An effective policy with its profiles settled; automata over paths are made when they are first needed.
#[derive(Debug)]
pub struct Compiled {
    effective: Effective,
    /// Layer and position of each rule, by number.
    rules: Vec<(usize, usize)>,
    /// `None`: more profiles than tables hold, so every rule is looked at.
    profiles: Option<Profiles>,
    /// By profile and action.
    cells: Vec<Cell>,
    words: AtomicUsize,
}

/// What a profile says of an action.
#[derive(Debug)]
struct Cell {
    /// Numbers of the rules that apply, in order.
    rules: Vec<u16>,
    /// Over their paths; an accept is 1 + a position in `rules`. `None`: too few, or too large.
    automaton: OnceLock<Option<Automaton>>,
}

impl Compiled {
    /// Settles which rules apply to whom.
    pub fn new(effective: Effective) -> Self {
        let places = effective.all_layers().enumerate();
        let rules = places.flat_map(|(at, layer)| (0..layer.policy.rules.len()).map(move |rule| (at, rule)));
        let rules = rules.take(usize::from(u16::MAX) + 1).collect();
        let profiles = Profiles::new(&effective, Action::ALL).ok();
        let mut cells = Vec::new();
        for profile in profiles.iter().flat_map(Profiles::profiles) {
            cells.extend(Action::ALL.iter().map(|action| Cell {
                rules: effective.rules_of(profile, *action).map(|rule| rule.index).collect(),
                automaton: OnceLock::new(),
            }));
        }
        Self { effective, rules, profiles, cells, words: AtomicUsize::new(0) }
    }

    /// The policy itself.
    pub fn effective(&self) -> &Effective {
        &self.effective
    }

    /// Judges one action: the first rule that matches, else the default.
    pub fn judge(&self, act: &Act<'_>) -> Judgement<'_> {
        let Some(profiles) = &self.profiles else { return self.effective.judge(act) };
        // Of the rules with a condition there are no automata here.
        if act.resource.is_unnamed() || !act.held.is_empty() {
            return self.effective.judge(act);
        }
        let profile = usize::from(profiles.number(act.agent_type, act.binary));
        let cell = &self.cells[profile * Action::ALL.len() + act.action.index()];
        let by_automaton = match act.resource {
            Resource::Path { path, .. } => {
                let automaton = cell.automaton.get_or_init(|| self.automaton(cell));
                automaton.as_ref().map(|automaton| automaton.run(path).map(|position| cell.rules[position]))
            }
            _ => None,
        };
        let number = by_automaton.unwrap_or_else(|| {
            let matches = |number: &&u16| {
                let rule = self.rule(**number).rule;
                rule.what.matches(rule.verdict, act.resource)
            };
            cell.rules.iter().find(matches).copied()
        });
        match number {
            Some(number) => self.rule(number).judgement(),
            None => self.effective.default(act.action, act.agent_type),
        }
    }

    /// Judges one action with conditions: the same as [`Effective::judge_with`].
    pub fn judge_with(&self, act: &Act<'_>, facts: &Facts<'_>) -> Judgement<'_> {
        let plain = self.judge(act);
        if self.effective.has_conditions() { self.effective.ask(act, facts, plain) } else { plain }
    }

    fn automaton(&self, cell: &Cell) -> Option<Automaton> {
        if cell.rules.len() < AUTOMATON_RULES_MIN || self.words.load(Ordering::Relaxed) >= WORDS_MAX {
            return None;
        }
        let glob = |number: &u16| match &self.rule(*number).rule.what {
            What::Path(glob) => Some(glob.clone()),
            What::Net(_) | What::ServerName(_) => None,
        };
        let globs: Vec<Glob> = cell.rules.iter().map(glob).collect::<Option<_>>()?;
        let automaton = Automaton::split(&globs, STATES_MAX).ok()?;
        let before = self.words.fetch_add(automaton.table().len(), Ordering::Relaxed);
        (before + automaton.table().len() <= WORDS_MAX).then_some(automaton)
    }

    fn rule(&self, number: u16) -> RuleRef<'_> {
        let (layer, rule) = self.rules[usize::from(number)];
        let guard = self.effective.guard();
        let layer = self.effective.layers().get(layer).or(guard.map(|guard| &*guard.layer)).expect("counted over both");
        RuleRef { index: number, layer, rule: &layer.policy.rules[rule], guard }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Layer;
    use crate::held::Held;
    use crate::policy::Policy;
    use std::fmt::Write as _;

    /// Sixty rules that overlap, of which some allow, some apply to one type or one program alone.
    fn effective() -> Effective {
        let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: many}\nspec:\n  rules:\n".to_owned();
        for n in 0..60 {
            let verdict = ["deny", "allow", "alert"][n % 3];
            let pattern = match n % 4 {
                0 => format!("/srv/{n}/**"),
                1 => format!("**/secret-{}*", n / 8),
                2 => format!("/srv/*/file-{n}"),
                _ => format!("~/.conf-{n}/*.pem"),
            };
            let who = match n % 7 {
                3 => ", agent_types: [codex]",
                5 => ", binaries: [\"**/node\"]",
                _ => "",
            };
            writeln!(
                yaml,
                "  - {{name: r{n}, action: file_read, resource_pattern: \"{pattern}\", verdict: {verdict}{who}}}"
            )
            .expect("writing to a String");
        }
        let policy = Policy::parse(&yaml).expect("a policy").policy;
        Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
    }

    #[test]
    fn says_what_the_plain_evaluator_says() {
        let compiled = Compiled::new(effective());
        let mut matched = 0;
        for n in 0..70 {
            let paths = [
                format!("/srv/{n}/a"),
                format!("/srv/{n}/secret-{}x", n % 9),
                format!("/srv/x/file-{n}"),
                format!("/root/.conf-{n}/k.pem"),
                format!("/var/{n}"),
            ];
            for path in &paths {
                for agent_type in [None, Some("codex")] {
                    for binary in [&b"/usr/bin/node"[..], b"/bin/cat"] {
                        for truncated in [false, true] {
                            let resource = Resource::Path { path: path.as_bytes(), truncated };
                            let act = Act { action: Action::FileRead, resource, agent_type, binary, held: Held::NONE };
                            let judged = compiled.judge(&act);
                            assert_eq!(judged, compiled.effective().judge(&act), "{act:?}");
                            matched += u32::from(judged.rule.is_some());
                        }
                    }
                }
            }
        }
        assert!(matched > 300, "only {matched} matched");
        assert!(compiled.cells.iter().any(|cell| matches!(cell.automaton.get(), Some(Some(_)))), "by an automaton");
    }
}
