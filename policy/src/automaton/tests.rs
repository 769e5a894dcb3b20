use proptest::prelude::{Just, Strategy, prop_assume, prop_oneof, proptest};

use super::Automaton;
use crate::glob::Glob;

#[path = "../../benches/realistic/patterns.rs"]
pub(crate) mod realistic;

const STATES_MAX: usize = 4_000;

fn globs<T: AsRef<str>>(patterns: &[T]) -> Vec<Glob> {
    patterns.iter().map(|p| Glob::parse(p.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", p.as_ref()))).collect()
}

/// The meaning: one pattern after the other.
fn first(globs: &[Glob], path: &[u8]) -> Option<usize> {
    globs.iter().position(|glob| glob.matches(path))
}

/// Compares all forms with the meaning; false if one was refused for its size.
fn agree(globs: &[Glob], paths: &[impl AsRef<[u8]>]) -> bool {
    let (Ok(one), Ok(split), Ok(all)) =
        (Automaton::build(globs, STATES_MAX), Automaton::split(globs, STATES_MAX), Automaton::all(globs, STATES_MAX))
    else {
        return false;
    };
    for path in paths {
        let path = path.as_ref();
        let text = path.escape_ascii();
        let expected = first(globs, path);
        assert_eq!(one.run(path), expected, "first: {globs:?} {text}");
        assert_eq!(split.run(path), expected, "split: {globs:?} {text}");
        assert_eq!(split.accept(path) as usize, expected.map_or(0, |at| at + 1), "accept: {globs:?} {text}");
        let matching: Vec<u32> = (0..).zip(globs).filter(|(_, glob)| glob.matches(path)).map(|(at, _)| at).collect();
        assert_eq!(all.set(all.accept(path)), matching, "all: {globs:?} {text}");
    }
    true
}

#[test]
fn first_match_wins_over_both_starts() {
    let globs = globs(&["/home/*/.ssh/known_hosts", "**/.ssh/**", "/etc/**", "**/*.pem", "/srv/{a,b}/**/x", "**"]);
    assert!(agree(
        &globs,
        &[
            "/home/a/.ssh/known_hosts",
            "/home/a/.ssh/id",
            "/etc/ssl/a.pem",
            "/opt/a.pem",
            "/srv/a/x",
            "/srv/b/c/d/x",
            "/srv/c/x",
            "",
            "/",
        ],
    ));
}

#[test]
fn nothing_matches_without_patterns() {
    let automaton = Automaton::split(&[], STATES_MAX).unwrap();
    assert_eq!((automaton.states(), automaton.starts()), (1, &[0, 0][..]));
    assert_eq!(automaton.run(b"/etc/passwd"), None);
}

#[test]
fn a_pattern_that_matches_all_leaves_one_state_beside_the_dead_one() {
    let automaton = Automaton::build(&globs(&["**", "/etc/**", "**/*.pem"]), STATES_MAX).unwrap();
    assert_eq!(automaton.states(), 2, "later patterns are pruned");
    assert_eq!(automaton.run(b"/etc/passwd"), Some(0));
}

#[test]
fn pruning_stops_at_fields() {
    // The second pattern matches where `**` of the first can't go on.
    let globs = globs(&["**", "**/node\0**/cli.js", "/usr/bin/node\0*"]);
    assert!(agree(&globs, &[&b"/usr/bin/node"[..], b"/usr/bin/node\0/x/cli.js", b"/usr/bin/node\0x", b"\0", b"a\0b"]));
}

#[test]
fn says_which_pattern_crosses_the_limit() {
    // The third remembers which of the last twelve bytes were an `a`: 2^12 states.
    let globs = globs(&["**/.env", "/etc/**", "**a????????????", "**/x"]);
    let error = Automaton::build(&globs, 500).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`**a????????????` makes the patterns before it and itself need more than 500 states"
    );
    assert!(Automaton::build(&globs[..2], 500).is_ok());
    assert_eq!(error.pattern, 2);
}

#[test]
fn the_dead_state_leads_nowhere() {
    let automaton = Automaton::build(&globs(&["/a/[bc]", "/a/?"]), STATES_MAX).unwrap();
    let columns = automaton.columns() as usize;
    assert!(automaton.table()[..columns].iter().all(|word| *word == 0));
    assert!(automaton.classes().iter().all(|class| (1..columns).contains(&usize::from(*class))));
    assert!(
        automaton.table().chunks(columns).all(|row| row[1..].iter().all(|s| (*s as usize).is_multiple_of(columns)))
    );
}

#[test]
fn realistic_rules_stay_small() {
    let automaton = Automaton::split(&globs(&realistic::patterns(256)), STATES_MAX).unwrap();
    let bytes = automaton.table().len() * 4;
    assert!(bytes < 512 * 1024, "256 rules take {bytes} bytes");
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/"),
        Just("a"),
        Just("b"),
        Just("*"),
        Just("**"),
        Just("/**/"),
        Just("?"),
        Just("[!a]"),
        Just("{a,/b}"),
        Just("{,/**}"),
        Just("\0")
    ];
    let pieces = proptest::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat());
    (prop_oneof![Just("/"), Just("**/"), Just("**"), Just("~/"), Just("")], pieces)
        .prop_map(|(start, rest)| format!("{start}{rest}"))
}

proptest! {
    #[test]
    fn agrees_with_the_plain_matcher(
        patterns in proptest::collection::vec(pattern(), 1..6),
        paths in proptest::collection::vec(r"/?(root/|home/a/)?[/abc\x00]{0,9}", 24),
    ) {
        prop_assume!(agree(&globs(&patterns), &paths));
    }
}

#[test]
fn a_thousand_realistic_rules_fit() {
    let patterns = globs(&realistic::patterns(1_000));
    let (automaton, added) = Automaton::counted(&patterns, crate::survey::PATH_STATES_MAX).unwrap();
    let bytes = automaton.table().len() * 4;
    assert!(bytes < 1024 * 1024, "1,000 rules take {bytes} bytes");
    // What is counted to the patterns are all states but the dead one and the two starts.
    let states = added.iter().sum::<usize>();
    assert!(states >= automaton.states() - 3 && states < 12_288, "{states} of {}", automaton.states());
}
