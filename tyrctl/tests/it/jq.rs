//! `--jq` and expressions that have no end: whatever they do, the program says so and ends.

use insta::assert_snapshot;

use crate::double::{Answers, Double};

#[test]
fn expressions_that_go_down_for_ever_are_refused() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["agents", "--jq", "def f: 1 + f; f"]), @"
    exit 1
    --- stderr
    error: the jq expression failed
    cause: it went down too deep, or needed too much memory
    hint: is there an end to it, e.g. to a `def` that calls itself? `limit(10; …)` takes the first 10 results
    ");
    for deep in ["def f: [f]; f", "def f: reduce f as $x (0; . + f); f", "reduce range(5000000) as $i (1; [.])"] {
        let said = double.run(&["agents", "--timeout", "1s", "--jq", deep]);
        assert!(said.starts_with("exit 1\n") && said.contains("cause: "), "{deep}: {said}");
        assert!(!said.contains("overflow") && !said.contains("panicked"), "{deep}: {said}");
    }
}

#[test]
fn expressions_that_never_end_are_ended() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["agents", "--timeout", "1s", "--jq", "last(range(infinite))"]), @"
    exit 1
    --- stderr
    error: the jq expression failed
    cause: it was not done after 1s of computing
    hint: is there an end to it? `limit(10; …)` takes the first 10 results; `--timeout` gives it more time
    ");
    for endless in ["[0 | recurse(. + 1)]", "0 | until(false; . + 1)", "\"xxxx\" * 1e9"] {
        let said = double.run(&["agents", "--timeout", "1s", "--jq", endless]);
        assert!(said.starts_with("exit 1\n") && said.contains("the jq expression failed"), "{endless}: {said}");
    }
}

#[test]
fn results_of_an_endless_expression_come_until_nobody_reads() {
    use std::io::{BufRead, BufReader};
    let double = Double::start(Answers::fleet());
    let mut child = double.command(&["agents", "--jq", "range(infinite)"]).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().take(3);
    assert_eq!(lines.map(|line| line.expect("UTF-8")).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "a closed pipe is no error");
}

#[test]
fn every_row_is_computed_with_the_same_expression() {
    let double = Double::start(Answers::fleet());
    assert_eq!(
        double.stdout(&["agents", "-o", "jsonl", "--jq", ".name, (.name | length)"]),
        "build-017\n9\nbuild-018\n9\nlaptop-zoë\n10\n"
    );
    let said =
        double.run(&["agents", "-o", "jsonl", "--jq", "if .name == \"build-018\" then error(\"no\") else .name end"]);
    assert_snapshot!(said, @r#"
    exit 1
    --- stdout
    build-017
    --- stderr
    error: the jq expression failed
    cause: "no"
    "#);
}
