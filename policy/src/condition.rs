//! Conditions: Cedar expressions over what is known of an action once it has happened.
//!
//! They are asked in userspace, of actions that the kernel let pass. Cedar's parser recurses, and its evaluator gives up when
//! little stack is left, so nesting is counted before anything is parsed and both run on a stack of their own
//! ([`STACK_BYTES`]). An expression that can't be evaluated is not one that doesn't hold: see [`Answer::Failed`].

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use cedar_policy::{
    Context, Entities, EntityId, EntityTypeName, EntityUid, EvalResult, Expression, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator, eval_expression,
};

use crate::eval::Resource;
use crate::words::{Action, Protocol};

/// Longest condition, in bytes.
pub const CONDITION_BYTES_MAX: usize = 2_048;
/// Deepest nesting of parentheses, brackets, braces and `if`. Without a limit 160 parentheses end a process with 2 MiB of stack.
pub const CONDITION_NESTING_MAX: usize = 32;
/// Most conditions in one policy: each is parsed and checked against a schema.
pub const CONDITIONS_MAX: usize = 64;
/// Stack for parsing and evaluating; only what is used of it is ever in memory.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// What a condition sees, by action: `docs/conditions.md` is the same for people, compared by a test.
const SCHEMA: &str = "
entity Process, Resource;
action file_read, file_write, exec appliesTo {
    principal: Process, resource: Resource,
    context: { path: String, exe: String, cmdline: String, agent_type: String, uid: Long }
};
action net_connect appliesTo {
    principal: Process, resource: Resource,
    context: { addr: ipaddr, port: Long, protocol: String, exe: String, cmdline: String, agent_type: String, uid: Long }
};
action tls_connect appliesTo {
    principal: Process, resource: Resource,
    context: { server_name: String, exe: String, cmdline: String, agent_type: String, uid: Long }
};
";

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the schema above is one");
    Validator::new(schema)
});

/// One checked condition.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    expression: Arc<Expression>,
}

/// What is known of an action besides what every rule sees.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What is acted on, as text: bytes of a path that are none are `\xNN`, as in events.
    pub resource: &'a str,
    /// Real path of the acting process's executable, as text.
    pub exe: &'a str,
    /// Its command line, as text.
    pub cmdline: &'a str,
    /// Who it runs as; -1 where that is not known.
    pub uid: i64,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It doesn't.
    No,
    /// It could not be evaluated: counts as a denial, and as a finding.
    Failed(String),
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Longer than [`CONDITION_BYTES_MAX`].
    #[error("a condition of {bytes} bytes is longer than {CONDITION_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Deeper than [`CONDITION_NESTING_MAX`].
    #[error("the condition is nested more than {CONDITION_NESTING_MAX} deep")]
    TooDeep,
    /// Not Cedar.
    #[error("the condition is no Cedar expression: {0}")]
    Syntax(String),
    /// Something that a condition of this action can't see, or types that don't fit.
    #[error("the condition makes no sense for `{action}`: {reason}")]
    Type {
        /// Of the rule.
        action: Action,
        /// In Cedar's words.
        reason: String,
    },
}

impl Condition {
    /// Reads a condition of a rule for this action.
    ///
    /// # Errors
    /// See [`ConditionError`]; the cost is bounded whatever the text.
    pub fn parse(text: &str, action: Action) -> Result<Self, ConditionError> {
        if text.len() > CONDITION_BYTES_MAX {
            return Err(ConditionError::TooLong { bytes: text.len() });
        }
        if nesting(text) > CONDITION_NESTING_MAX {
            return Err(ConditionError::TooDeep);
        }
        stacker::grow(STACK_BYTES, || Self::parse_here(text, action))
    }

    fn parse_here(text: &str, action: Action) -> Result<Self, ConditionError> {
        // Alone first: what closes the clause below and goes on is no expression.
        let expression = Expression::from_str(text).map_err(|error| ConditionError::Syntax(one_line(&error)))?;
        let policy = format!("permit(principal, action == Action::\"{action}\", resource) when {{\n{text}\n}};");
        let set = PolicySet::from_str(&policy).map_err(|error| ConditionError::Syntax(one_line(&error)))?;
        let result = VALIDATOR.validate(&set, ValidationMode::Strict);
        match result.validation_errors().next() {
            Some(error) => {
                let reason = one_line(error);
                // Cedar names the policy that we made up.
                let reason = reason.split_once("policy0`, ").map_or(reason.as_str(), |(_, words)| words).to_owned();
                Err(ConditionError::Type { action, reason })
            }
            None => Ok(Self { text: text.into(), expression: Arc::new(expression) }),
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Asks it of an action.
    pub fn ask(&self, action: Action, resource: Resource<'_>, agent_type: Option<&str>, facts: &Facts<'_>) -> Answer {
        stacker::grow(STACK_BYTES, || self.ask_here(action, resource, agent_type, facts).unwrap_or_else(Answer::Failed))
    }

    fn ask_here(
        &self,
        action: Action,
        resource: Resource<'_>,
        agent_type: Option<&str>,
        facts: &Facts<'_>,
    ) -> Result<Answer, String> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let mut context = vec![
            ("exe", text(facts.exe)),
            ("cmdline", text(facts.cmdline)),
            ("agent_type", text(agent_type.unwrap_or_default())),
            ("uid", RestrictedExpression::new_long(facts.uid)),
        ];
        match resource {
            Resource::Path { .. } => context.push(("path", text(facts.resource))),
            Resource::ServerName(name) => context.push(("server_name", text(name))),
            // No rule is asked about one: what it matches can't be told.
            Resource::Socket => {}
            Resource::Net { addr, port, protocol } => context.extend([
                ("addr", RestrictedExpression::new_ip(addr.to_canonical().to_string())),
                ("port", RestrictedExpression::new_long(port.into())),
                (
                    "protocol",
                    text(match protocol {
                        Protocol::Tcp => "tcp",
                        Protocol::Udp => "udp",
                    }),
                ),
            ]),
        }
        let failed = |error: &dyn fmt::Display| one_line(error);
        let context = Context::from_pairs(context.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let request = Request::new(
            uid(&PROCESS, facts.exe),
            uid(&ACTION, action.as_str()),
            uid(&RESOURCE, facts.resource),
            context.map_err(|error| failed(&error))?,
            None,
        );
        let request = request.map_err(|error| failed(&error))?;
        match eval_expression(&request, &Entities::empty(), &self.expression).map_err(|error| failed(&error))? {
            EvalResult::Bool(true) => Ok(Answer::Yes),
            EvalResult::Bool(false) => Ok(Answer::No),
            other => Err(format!("it is neither true nor false, but {other}")),
        }
    }
}

static PROCESS: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Process"));
static RESOURCE: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Resource"));
static ACTION: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Action"));

fn type_name(name: &str) -> EntityTypeName {
    EntityTypeName::from_str(name).expect("a plain word")
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn one_line(error: &(impl fmt::Display + ?Sized)) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// How deep a text is nested, whether it is Cedar or not: an `if` counts until the end, as its branches are within it.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut ifs) = (0usize, 0usize, 0usize);
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        ifs += usize::from(word == "if");
        word.clear();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            // What is in a string nests nothing.
            '"' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if chars.peek() == Some(&'/') => drop(chars.by_ref().find(|c| *c == '\n')),
            _ => {}
        }
        deepest = deepest.max(depth + ifs);
    }
    deepest.max(depth + ifs + usize::from(word == "if"))
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

#[cfg(test)]
mod tests;
