//! What could stand at the cursor.

use tyr_api::events::{DriftReason, EventKind, Severity, Verdict};

use super::{Field, Type, print};
use crate::tui::state::drifts::reason_text;

/// A word that fits, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// As it's put into the text.
    pub word: String,
    /// What it is.
    pub about: String,
}

/// Offered at most.
const OFFERS_MAX: usize = 64;

/// Where the unfinished word before the cursor begins (in characters), and what it could become. `known` knows the values of a
/// field that only the data can tell.
pub fn complete(before: &str, known: &dyn Fn(Field) -> Vec<String>) -> (usize, Vec<Completion>) {
    let start = word_start(before);
    let word = &before[start..];
    let begun = |start: usize| before[..start].chars().count();
    let Some(op) = word.find([':', '=', '<', '>', '~']) else {
        let negated = word.starts_with('!');
        let name = word.trim_start_matches('!');
        let fields = Field::ALL.iter().filter(|(known, ..)| starts_with(known, name)).map(|(known, field, about)| {
            let op = if field.kind() == Type::Age { '<' } else { '=' };
            Completion { word: format!("{known}{op}"), about: (*about).to_owned() }
        });
        let words = [("and", "both"), ("or", "either"), ("not", "the opposite"), ("since", "as in since 2h")];
        let words = words.into_iter().filter(|(known, _)| !negated && !name.is_empty() && starts_with(known, name));
        let words = words.map(|(word, about)| Completion { word: format!("{word} "), about: about.to_owned() });
        return (begun(before.len() - name.len()), fields.chain(words).collect());
    };
    let name = word[..op].trim_end_matches('!');
    let Some((_, field, _)) = Field::ALL.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
        return (begun(before.len()), Vec::new());
    };
    let value_at = word[op..].rfind([',', ':', '=', '<', '>', '~']).map_or(op, |at| op + at + 1);
    let typed = word[value_at..].trim_start_matches(['\'', '"']);
    let fixed = values(*field);
    let all = if fixed.is_empty() { known(*field) } else { fixed.iter().map(|&word| word.to_owned()).collect() };
    let fitting = all.into_iter().filter(|value| starts_with(value, typed)).take(OFFERS_MAX);
    let offers = fitting.map(|value| Completion { word: print::value(&value), about: String::new() });
    (begun(start + value_at), offers.collect())
}

/// Byte at which the last word begins: behind a space, bracket or bar that no quote holds.
fn word_start(text: &str) -> usize {
    let (mut start, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c.is_whitespace() || "()|&".contains(c) => start = at + c.len_utf8(),
            _ => {}
        }
    }
    start
}

fn starts_with(text: &str, begin: &str) -> bool {
    text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin))
}

/// All values of a field that has few.
fn values(field: Field) -> &'static [&'static str] {
    const REASONS: [&str; DriftReason::ALL.len()] = {
        let mut words = [""; DriftReason::ALL.len()];
        let mut n = 0;
        while n < words.len() {
            words[n] = reason_text(DriftReason::ALL[n]);
            n += 1;
        }
        words
    };
    match field {
        Field::Kind => EventKind::WORDS,
        Field::Verdict | Field::Server => Verdict::WORDS,
        Field::Severity => Severity::WORDS,
        Field::Posture => &["unknown", "blind", "observing", "partial", "enforcing"],
        Field::State => &[
            "online",
            "late",
            "stale",
            "offline",
            "blind",
            "losing",
            "skewed",
            "old policy",
            "policy err",
            "firing",
            "pending",
        ],
        Field::Reason => &REASONS,
        _ => &[],
    }
}
