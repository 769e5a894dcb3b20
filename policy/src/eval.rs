//! The plain evaluator: the judge of every faster form.

use std::net::IpAddr;

use crate::condition::{Answer, Facts};
use crate::guard::Guard;
use crate::held::Held;
use crate::net::canonical;
use crate::policy::{Policy, Rule, What};
use crate::words::{Action, Protocol, Severity, Unregistered, Verdict};

/// One policy version within an effective policy.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Number of the policy version.
    pub version: u32,
    /// The agent type that it is an overlay for; `None`: the base, for all processes.
    pub agent_type: Option<String>,
    /// The policy.
    pub policy: Policy,
}

/// What one agent runs: the overlays, then the base.
///
/// Within an action the rules of the layers come one after the other, in the order given; a layer that isn't for the
/// process's agent type is left out. Where no rule matches, the default of the first layer that states one holds, and
/// `allow` where none does.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    layers: Vec<Layer>,
    /// For whom something else holds; its rules come last.
    guard: Option<Guard>,
    /// Numbers of the rules with a condition, in order.
    conditional: Vec<u16>,
}

/// An action to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Act<'a> {
    /// What is done.
    pub action: Action,
    /// To what; a kind that doesn't fit `action` matches no rule.
    pub resource: Resource<'a>,
    /// Agent type of the acting process.
    pub agent_type: Option<&'a str>,
    /// Real path of the acting process's executable.
    pub binary: &'a [u8],
    /// Rules with a condition that hold for the acting process.
    pub held: Held,
}

/// What is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource<'a> {
    /// A file or program.
    Path {
        /// The real path.
        path: &'a [u8],
        /// Only the end of the path is known. No rule can be told not to match, so the strictest verdict of all that apply holds,
        /// and with it the first rule that gives it, whatever the rest looks like; `allow` only where none says otherwise.
        truncated: bool,
    },
    /// A connection or datagram.
    Net {
        /// Destination; IPv4-mapped IPv6 counts as IPv4.
        addr: IpAddr,
        /// Destination.
        port: u16,
        /// Transport.
        protocol: Protocol,
    },
    /// A socket that reaches whom it wants: a raw or packet socket, SCTP, vsock. No rule can be told not to match, so the strictest
    /// holds, as for a path of which only the end is known.
    Socket,
    /// A TLS server name.
    ServerName(&'a str),
}

impl Resource<'_> {
    /// Can no rule be told not to match?
    pub(crate) fn is_unnamed(&self) -> bool {
        matches!(self, Self::Path { truncated: true, .. } | Self::Socket)
    }
}

/// What the policy says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule's, `low` where none matched.
    pub severity: Severity,
    /// Policy version of the rule, or of the default that held; `None` where no layer said anything.
    pub version: Option<u32>,
    /// Name of the rule; `None` where none matched.
    pub rule: Option<&'a str>,
    /// Number of the rule in [`Effective::rules`].
    pub index: Option<u16>,
    /// What its condition had to do with it.
    pub condition: Option<ByCondition>,
}

/// How a condition decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByCondition {
    /// It holds. A `deny` comes too late for this action, and holds for the rest of the process: see [`Held`].
    Held,
    /// It could not be asked, which counts as a denial.
    Failed,
}

/// A rule and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct RuleRef<'a> {
    /// Its number: the position over all layers, in order. Kernel tables name rules by it.
    pub index: u16,
    /// The layer that it stands in.
    pub layer: &'a Layer,
    /// The rule.
    pub rule: &'a Rule,
    /// Of the policy, if it has one.
    pub(crate) guard: Option<&'a Guard>,
}

impl Effective {
    /// Puts layers together: overlays first, the base last.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self::guarded(layers, None)
    }

    /// The same, with something else for those whom a guard holds for.
    pub fn guarded(layers: Vec<Layer>, guard: Option<Guard>) -> Self {
        let guard = guard.map(|guard| guard.before(&layers));
        let mut effective = Self { layers, guard, conditional: Vec::new() };
        effective.conditional = effective.rules().filter(|r| r.rule.condition.is_some()).map(|r| r.index).collect();
        effective
    }

    /// Whether any rule has a condition: if none has, nobody need collect [`Facts`].
    pub fn has_conditions(&self) -> bool {
        !self.conditional.is_empty()
    }

    /// Numbers of the rules with a condition, in order.
    pub fn conditional(&self) -> &[u16] {
        &self.conditional
    }

    pub(crate) fn take_layers(&mut self) -> Vec<Layer> {
        std::mem::take(&mut self.layers)
    }

    /// The guard, if there is one.
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// What else than the policy holds for processes of this type, if anything does.
    pub fn guards(&self, agent_type: Option<&str>) -> Option<Unregistered> {
        self.guard.as_ref().filter(|guard| guard.holds_for(agent_type)).map(Guard::what)
    }

    /// The layers, and behind them the guard's.
    pub(crate) fn all_layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().chain(self.guard.as_ref().map(|guard| &*guard.layer))
    }

    /// The layers, as given.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All rules of all layers, in order of judgement. Rules beyond the 65,536th are left out of kernel tables.
    pub fn rules(&self) -> impl Iterator<Item = RuleRef<'_>> {
        let rules = self.all_layers().flat_map(|layer| layer.policy.rules.iter().map(move |rule| (layer, rule)));
        let guard = self.guard.as_ref();
        (0..=u16::MAX).zip(rules).map(move |(index, (layer, rule))| RuleRef { index, layer, rule, guard })
    }

    /// The rule of a number that a kernel table or a judgement names.
    pub fn rule(&self, index: u16) -> Option<RuleRef<'_>> {
        self.rules().nth(usize::from(index))
    }

    /// Judges one action as the kernel does, which asks no conditions: the first rule that matches, without one or held to, else
    /// the default.
    pub fn judge(&self, act: &Act<'_>) -> Judgement<'_> {
        let default = || self.default(act.action, act.agent_type);
        let counts = |r: &RuleRef<'_>| r.rule.condition.is_none() || !act.held.and(self.held(r.index)).is_empty();
        let applies = |r: &RuleRef<'_>| counts(r) && r.applies_to_type(act.agent_type);
        let mut rules = self.rules().filter(applies).filter(|r| r.rule.action == act.action);
        let found = if act.resource.is_unnamed() {
            let rules = rules.filter(|r| r.rule.applies(act.agent_type, act.binary));
            self.strictest(rules, default().verdict)
        } else {
            rules.find(|r| {
                r.rule.what.matches(r.rule.verdict, act.resource) && r.rule.applies(act.agent_type, act.binary)
            })
        };
        found.map_or_else(default, |r| Judgement { verdict: r.verdict(), ..r.judgement() })
    }

    /// The first of the strictest of these rules, unless it allows or the default is stricter.
    #[expect(clippy::unused_self, reason = "the rules are those of this policy")]
    pub(crate) fn strictest<'s>(
        &'s self,
        rules: impl Iterator<Item = RuleRef<'s>>,
        default: Verdict,
    ) -> Option<RuleRef<'s>> {
        let named = |r: &RuleRef<'_>| !matches!(r.rule.what, What::ServerName(_)) && r.verdict() != Verdict::Allow;
        let first = rules.filter(named).min_by_key(|r| (std::cmp::Reverse(r.verdict()), r.index));
        first.filter(|r| r.verdict() >= default)
    }

    /// Judges one action with conditions. What the kernel refuses, it refuses; of what it lets pass, the first rule decides that
    /// stands before the one that let it, and whose condition holds.
    pub fn judge_with(&self, act: &Act<'_>, facts: &Facts<'_>) -> Judgement<'_> {
        self.ask(act, facts, self.judge(act))
    }

    /// `plain` is what the kernel says.
    pub(crate) fn ask<'s>(&'s self, act: &Act<'_>, facts: &Facts<'_>, plain: Judgement<'s>) -> Judgement<'s> {
        if plain.verdict == Verdict::Deny {
            return plain;
        }
        let before = self.conditional.iter().take_while(|number| plain.index.is_none_or(|index| **number < index));
        for r in before.filter_map(|number| self.rule(*number)) {
            let about = r.rule.action == act.action
                && r.applies(act.agent_type, act.binary)
                && r.rule.what.matches(r.rule.verdict, act.resource);
            let Some(condition) = r.rule.condition.as_ref().filter(|_| about) else { continue };
            match condition.ask(act.action, act.resource, act.agent_type, facts) {
                Answer::No => {}
                Answer::Yes => return Judgement { condition: Some(ByCondition::Held), ..r.judgement() },
                Answer::Failed(_) => {
                    return Judgement {
                        verdict: Verdict::Deny,
                        severity: Severity::Critical,
                        condition: Some(ByCondition::Failed),
                        ..r.judgement()
                    };
                }
            }
        }
        plain
    }

    /// What holds for an action of a process of this type where no rule matches.
    pub fn default(&self, action: Action, agent_type: Option<&str>) -> Judgement<'_> {
        let guard = self.guard.as_ref().filter(|guard| guard.holds_for(agent_type) && !guard.yields(action));
        let (verdict, version) = if let Some(guard) = guard {
            (guard.layer.policy.defaults.get(action).unwrap_or(Verdict::Deny), None)
        } else {
            // Of a type that is not registered there is no overlay.
            let mut layers = self.layers.iter().filter(|layer| layer.is_for(agent_type));
            let stated = layers.find_map(|layer| Some((layer.version, layer.policy.defaults.get(action)?)));
            stated.map_or((Verdict::Allow, None), |(version, verdict)| (verdict, Some(version)))
        };
        Judgement { verdict, severity: Severity::Low, version, rule: None, index: None, condition: None }
    }
}

impl Layer {
    /// Does the layer hold for processes of this type?
    pub fn is_for(&self, agent_type: Option<&str>) -> bool {
        self.agent_type.is_none() || self.agent_type.as_deref() == agent_type
    }
}

impl<'a> RuleRef<'a> {
    /// Do rule and layer apply to a process of this type and executable?
    pub fn applies(&self, agent_type: Option<&str>, binary: &[u8]) -> bool {
        self.is_of(agent_type) && self.rule.applies(agent_type, binary)
    }

    /// Does its layer hold for processes of this type? For those whom a guard holds for: the guard's, and of the base what denies.
    fn is_of(&self, agent_type: Option<&str>) -> bool {
        let own = self.version().is_none();
        match self.guard.filter(|guard| guard.holds_for(agent_type)) {
            None => !own && self.layer.is_for(agent_type),
            Some(guard) if guard.yields(self.rule.action) => !own && self.layer.agent_type.is_none(),
            Some(_) => own || (self.layer.agent_type.is_none() && self.rule.verdict == Verdict::Deny),
        }
    }

    /// Policy version that it stands in; `None`: a guard.
    pub fn version(&self) -> Option<u32> {
        let own = self.guard.is_some_and(|guard| std::ptr::eq(&raw const *guard.layer, self.layer));
        (!own).then_some(self.layer.version)
    }

    pub(crate) fn applies_to_type(&self, agent_type: Option<&str>) -> bool {
        self.is_of(agent_type) && self.rule.applies_to_type(agent_type)
    }

    pub(crate) fn judgement(self) -> Judgement<'a> {
        Judgement {
            verdict: self.rule.verdict,
            severity: self.rule.severity,
            version: self.version(),
            rule: Some(&self.rule.name),
            index: Some(self.index),
            condition: None,
        }
    }
}

impl What {
    /// Is the resource one of these, for a rule of this verdict?
    pub(crate) fn matches(&self, verdict: Verdict, resource: Resource<'_>) -> bool {
        match (self, resource) {
            (Self::Path(glob), Resource::Path { path, .. }) => glob.matches(path),
            (Self::Net(net), Resource::Net { addr, port, protocol }) => {
                net.matches(verdict, canonical(addr), port, protocol)
            }
            (Self::ServerName(pattern), Resource::ServerName(name)) => pattern.matches(name),
            _ => false,
        }
    }
}
