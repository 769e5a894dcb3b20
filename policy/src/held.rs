//! Rules with a condition that hold for a process without being asked, as their condition held for it once.
//!
//! A condition is asked when the action has happened, so a `deny` comes too late for that one. For the rest of the process it doesn't:
//! there the rule counts like one without a condition, and denies. What could not be evaluated counts as a denial, so a rule denies
//! from then on whatever its verdict is.

use sha2::{Digest, Sha256};

use crate::eval::{Effective, RuleRef};
use crate::policy::What;
use crate::words::Verdict;

/// Most rules with a condition that kernel tables have, of all layers together: each is a bit of a [`Held`].
pub const CONDITIONAL_MAX: usize = 64;

/// A set of the rules with a condition of one effective policy: bit n stands for the n-th of them, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held(u64);

impl Held {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// A set as a number.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As a number.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Is there none?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The n-th alone; none where there is no bit for it.
    pub fn nth(position: usize) -> Self {
        Self(u32::try_from(position).ok().and_then(|position| 1_u64.checked_shl(position)).unwrap_or(0))
    }

    /// Those of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Positions, in order.
    pub fn positions(self) -> impl Iterator<Item = usize> {
        (0..CONDITIONAL_MAX).filter(move |position| self.0 >> position & 1 == 1)
    }
}

impl Effective {
    /// The rule of this number, where it has a condition and a bit; else none.
    pub fn held(&self, index: u16) -> Held {
        self.conditional().binary_search(&index).map_or(Held::NONE, Held::nth)
    }

    /// The rules with a condition, in order: a bit for each, as far as there are bits.
    pub(crate) fn conditional_rules(&self) -> impl Iterator<Item = RuleRef<'_>> {
        self.conditional().iter().filter_map(|index| self.rule(*index))
    }

    /// All rules of these names that have a condition: overlays can have one of the same name.
    pub fn held_by_names<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Held {
        let held = |name| {
            let named = (0..).zip(self.conditional_rules()).filter(move |(_, r)| r.rule.name == name);
            named.fold(Held::NONE, |held, (position, _)| held.or(Held::nth(position)))
        };
        names.into_iter().map(held).fold(Held::NONE, Held::or)
    }
}

impl RuleRef<'_> {
    /// What it says where it counts without its condition being asked.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.rule.condition.is_some() { Verdict::Deny } else { self.rule.verdict }
    }

    /// The same number as long as the rule says the same of the same processes, in whatever version of the policy: the first 8 bytes
    /// of SHA-256 over its name, action, resources, verdict, agent types, binaries, condition, and the agent type of its layer. A process
    /// that a rule holds for is held to it until the rule changes.
    pub fn identity(&self) -> u64 {
        let RuleRef { rule, layer, .. } = self;
        let mut digest = Sha256::new();
        // Each behind its length, so that no two lists run together to the same bytes.
        let mut list = |texts: &[&str]| {
            digest.update(texts.len().to_le_bytes());
            for text in texts {
                digest.update(text.len().to_le_bytes());
                digest.update(text);
            }
        };
        list(&[&rule.name, rule.action.as_str(), rule.verdict.as_str(), layer.agent_type.as_deref().unwrap_or("*")]);
        match &rule.what {
            What::Path(glob) => list(&[glob.as_str()]),
            What::ServerName(pattern) => list(&[pattern.as_str()]),
            What::Net(net) => {
                for targets in [&net.allow, &net.deny] {
                    let texts: Vec<String> = targets.iter().map(ToString::to_string).collect();
                    list(&texts.iter().map(String::as_str).collect::<Vec<_>>());
                }
            }
        }
        list(&rule.agent_types.iter().map(String::as_str).collect::<Vec<_>>());
        list(&rule.binaries.iter().map(crate::glob::Glob::as_str).collect::<Vec<_>>());
        list(&[rule.condition.as_ref().map_or("", |condition| condition.as_str())]);
        let bytes = digest.finalize();
        u64::from_le_bytes(bytes[..8].try_into().expect("eight of 32"))
    }
}

#[cfg(test)]
mod tests {
    use crate::eval::{Effective, Layer};
    use crate::policy::Policy;

    fn identity(version: u32, agent_type: Option<&str>, rules: &str, name: &str) -> u64 {
        let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: p}}\nspec:\n  rules:\n{rules}");
        let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
        let effective = Effective::new(vec![Layer { version, agent_type: agent_type.map(str::to_owned), policy }]);
        effective.rules().find(|r| r.rule.name == name).expect("it is there").identity()
    }

    #[test]
    fn a_rule_is_the_same_until_it_says_something_else() {
        let rule = "    - {name: r, action: exec, resource_pattern: '/a', verdict: deny, agent_types: [codex], binaries: ['/b'], condition: 'context.uid == 0'}\n";
        let before = identity(1, None, rule, "r");
        let elsewhere = format!("    - {{name: first, action: exec, verdict: alert}}\n{rule}");
        assert_eq!(identity(2, None, &elsewhere, "r"), before, "in another version, at another place");
        for (from, to) in [("'/a'", "'/c'"), ("deny", "alert"), ("codex", "aider"), ("'/b'", "'/d'"), ("== 0", "== 1")]
        {
            assert_ne!(identity(1, None, &rule.replace(from, to), "r"), before, "{from}");
        }
        assert_ne!(identity(1, Some("codex"), rule, "r"), before, "in an overlay");
    }
}
