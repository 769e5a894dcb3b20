//! The bypass suite: ways around a guard, each tried for real by `tyr-attacker`.
//!
//! A refusal counts only beside its controls: the same attempt works for a process that nobody governs, and, where the
//! attempt has an allowed counterpart, for a governed one. The error is compared to the letter. What is not stopped stands
//! in `docs/limits.md`, and its attempt here pins that it passes today: whoever stops it has to change both.

pub(crate) mod files;
mod native;
pub(crate) mod network;
pub(crate) mod process;

/// What becomes of an attempt of a governed process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// Refused with EPERM.
    Denied,
    /// Refused with another error, which the kernel makes of EPERM on this way.
    Refused(&'static str),
    /// It passes; `docs/limits.md` says so in these words.
    Passes(&'static str),
}

/// One attempt: a line for `tyr-attacker try`.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) line: String,
    pub(crate) expected: Expected,
}

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Governed,
    Ungoverned,
}

/// Where the folders of attempts on files begin.
pub(crate) const GOVERNED: &str = "/data/governed";
pub(crate) const UNGOVERNED: &str = "/data/ungoverned";

/// Tries all: first ungoverned, then governed; `run` gives one outcome for each line.
///
/// # Panics
///
/// At the end, with all attempts that had another outcome than expected.
pub(crate) fn check(attempts: &[Attempt], run: impl Fn(Who, &str) -> String) {
    let text = attempts.iter().map(|attempt| attempt.line.as_str()).collect::<Vec<_>>().join("\n");
    let outcomes = |who| {
        let answer = run(who, &text.replace("{who}", if who == Who::Governed { GOVERNED } else { UNGOVERNED }));
        let lines: Vec<String> = answer.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), attempts.len(), "one outcome each, {who:?}:\n{answer}");
        lines
    };
    let limits = include_str!("../../../docs/limits.md");
    let mut wrong = Vec::new();
    for ((attempt, control), outcome) in attempts.iter().zip(outcomes(Who::Ungoverned)).zip(outcomes(Who::Governed)) {
        let line = &attempt.line;
        if control != "ok" {
            wrong.push(format!("{line}: does not even work without a rule: {control}"));
        }
        let expected = match attempt.expected {
            Expected::Denied => "EPERM",
            Expected::Refused(error) => error,
            Expected::Passes(words) => {
                if !limits.contains(words) {
                    wrong.push(format!("{line}: docs/limits.md does not say \"{words}\""));
                }
                "ok"
            }
        };
        if outcome != expected {
            wrong.push(format!("{line}: {outcome} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} attempts:\n{}", wrong.len(), attempts.len(), wrong.join("\n"));
}
