//! What every command that lists has in common: formats, columns, limits, a closed pipe.

use std::io::Read;

use clap::CommandFactory;
use tyrctl::args::Cli;

use crate::double::{Answers, Double};

const DEFAULT_CASES: &str = "../examples/policies/cases/default-policy.yaml";

/// Each command that lists. A test asks whether one is missing here.
pub(crate) const LISTS: &[&[&str]] = &[
    &["agents"],
    &["ai"],
    &["ai", "types"],
    &["alerts"],
    &["alerts", "webhook", "list"],
    &["audit"],
    &["config", "show"],
    &["context", "list"],
    &["db", "apart"],
    &["db", "connections"],
    &["db", "indexes"],
    &["db", "partitions"],
    &["db", "tables"],
    &["drift"],
    &["drift", "--by", "rule"],
    &["drift", "--events"],
    &["events", "agents"],
    &["events", "list"],
    &["events", "rate"],
    &["keys"],
    &["metrics"],
    &["policy", "assignments"],
    &["policy", "status", "--all"],
    &["policy", "check", "../examples/policies/strict-policy.yaml"],
    &["policy", "list"],
    &["policy", "simulate", "../examples/policies/default-policy.yaml"],
    &["policy", "test", "../examples/policies/default-policy.yaml", "--cases", DEFAULT_CASES, "--all"],
    &["sql", "list"],
    &["token", "list"],
    &["user", "list"],
];

/// Everything answers, and there is a context to list.
fn double() -> Double {
    let double = Double::start(Answers::everything());
    double.stdout(&["context", "add", "default"]);
    tyrctl::auth::store_token(&double.config().join("token"), "stored-token").expect("stored");
    double
}

fn with<'a>(list: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    list.iter().chain(more).copied().collect()
}

#[test]
fn no_command_that_lists_is_left_out() {
    fn look(command: &clap::Command, path: &[String], missing: &mut Vec<String>) {
        let lists = command.get_arguments().any(|argument| argument.get_id() == "no_headers");
        let named =
            |list: &&&[&str]| list.iter().filter(|word| !word.starts_with('-')).take(path.len()).eq(path.iter());
        if lists && !LISTS.iter().any(|list| named(&list)) {
            missing.push(path.join(" "));
        }
        for sub in command.get_subcommands() {
            look(sub, &[path, &[sub.get_name().to_owned()]].concat(), missing);
        }
    }
    let mut missing = Vec::new();
    look(&Cli::command(), &[], &mut missing);
    assert_eq!(missing, Vec::<String>::new(), "add them to LISTS");
}

#[test]
fn every_list_has_every_format() {
    let double = double();
    for list in LISTS {
        let rows: serde_json::Value = serde_json::from_str(&double.stdout(&with(list, &["-o", "json"])))
            .unwrap_or_else(|e| panic!("{list:?}: {e}"));
        let count = rows.as_array().unwrap_or_else(|| panic!("{list:?}: no list")).len();
        assert!(count > 0, "{list:?} lists something");
        for (format, lines) in
            [("jsonl", count), ("name", count), ("csv", count + 1), ("tsv", count + 1), ("wide", count + 1)]
        {
            let text = double.stdout(&with(list, &["-o", format]));
            assert_eq!(text.lines().count(), lines, "{list:?} -o {format}: {text}");
        }
        let yaml = double.stdout(&with(list, &["-o", "yaml"]));
        assert!(yaml.starts_with("- "), "{list:?}: {yaml}");
        let one = double.stdout(&with(list, &["-o", "csv", "--limit", "1", "--no-headers", "-q"]));
        assert_eq!(one.lines().count(), 1, "{list:?}: {one}");
        let tsv = double.stdout(&with(list, &["-o", "tsv"]));
        let columns: Vec<_> = tsv.lines().map(|line| line.split('\t').count()).collect();
        assert!(columns.iter().all(|count| *count == columns[0]), "{list:?}: {columns:?}");
        let names = double.stdout(&with(list, &["--jq", "length"]));
        assert_eq!(names.trim(), count.to_string(), "{list:?} --jq length");
    }
}

#[test]
fn every_list_names_its_columns_to_those_who_ask_for_another() {
    let double = double();
    for list in LISTS {
        for flag in ["--columns", "--sort"] {
            let said = double.run(&with(list, &[flag, "no-such-column"]));
            let named = said.contains("error: there is no column `no-such-column`") && said.contains("columns: ");
            assert!(said.starts_with("exit 2\n") && named, "{list:?}: {said}");
        }
    }
}

#[test]
fn every_list_ends_quietly_when_nobody_reads_it() {
    let double = double();
    for list in LISTS {
        let mut child = double.command(&with(list, &[])).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("UTF-8");
        assert_eq!((child.wait().expect("it ends").code(), err.as_str()), (Some(0), ""), "{list:?}");
    }
}

#[test]
fn fields_and_expressions_are_taken_and_wrong_ones_underlined() {
    use insta::assert_snapshot;
    let double = double();
    assert_snapshot!(double.run(&["agents", "--json=name,ai_processes", "-o", "jsonl"]), @r#"
    exit 0
    --- stdout
    {"ai_processes":1,"name":"build-017"}
    {"ai_processes":1,"name":"build-018"}
    {"ai_processes":1,"name":"laptop-zoë"}
    "#);
    assert_snapshot!(double.run(&["agents", "--jq", ".[] | select(.liveness == \"stale\") | .name"]), @"
    exit 0
    --- stdout
    build-017
    ");
    assert_snapshot!(double.run(&["agent", "show", "build-017", "--json=nmae"]), @"
    exit 2
    --- stderr
    error: there is no field `nmae`
    hint: did you mean `name`?
    hint: fields: agent_id, agent_version, ai_processes, arch, archived_at, assigned_policy_id, capabilities, cert_not_after, clock_skew_ms, connected, denial, denial_at, enrolled_at, events_lost, hooks, kernel, last_event_at, last_seen, liveness, name, policy_error, policy_id, policy_version, posture, posture_reason, revoked_at, scope, spool_records, staleness_ms, tables, tables_digest, unregistered_agents
    ");
    assert_snapshot!(double.run(&["agents", "--jq", ".[] | nmae"]), @"
    exit 2
    --- stderr
    error: the jq expression could not be read
    cause: there is no filter `nmae`
             .[] | nmae
                   ^^^^
    ");
    assert_snapshot!(double.run(&["agents", "--jq", ".", "-o", "csv"]), @"
    exit 2
    --- stderr
    error: `--jq` can't be used with this `--output`
    hint: leave --output out, or take `-o json` or `-o jsonl`
    ");
    assert_snapshot!(double.run(&["agents", "-o", "yml"]), @"
    exit 2
    --- stderr
    error: `yml` is not a value for `--output <FORMAT>`
    hint: did you mean `yaml`?
    hint: one of table, wide, json, jsonl, yaml, csv, tsv, name
    ");
    assert_snapshot!(double.run(&["events", "list", "--verdict", "dney"]), @"
    exit 2
    --- stderr
    error: `dney` is not a value for `--verdict <VERDICTS>`
    hint: did you mean `deny`?
    hint: one of allow, deny, alert
    ");
    assert_snapshot!(double.run(&["events", "list", "--kind", "exce"]), @"
    exit 2
    --- stderr
    error: `exce` is not a value for `--kind <KINDS>`
    hint: did you mean `exec`?
    hint: one of file_read, file_write, exec, net_connect, tls_connect
    ");
    assert_snapshot!(double.run(&["agents", "--tz", "Europe/Berlim"]), @"
    exit 2
    --- stderr
    error: `Europe/Berlim` is no time zone
    cause: failed to find time zone `Europe/Berlim` in time zone database
    hint: did you mean `Europe/Berlin`, `Europe/Rome`, `Europe/Dublin`?
    ");
    assert_snapshot!(double.run(&["policy", "rollback", "7", "--yes"]), @"
    exit 1
    --- stderr
    error: there is no policy version 7
    hint: did you mean `2`? `tyrctl policy list` lists them all
    ");
    assert_snapshot!(double.run(&["user", "create", "carol", "--role", "amdin"]), @"
    exit 2
    --- stderr
    error: `amdin` is not a value for `--role <ROLE>`
    hint: did you mean `admin`?
    hint: one of viewer, admin
    ");
    assert_snapshot!(double.run(&["context", "use", "defualt"]), @"
    exit 1
    --- stderr
    error: there is no context `defualt`
    hint: did you mean `default`?
    ");
    assert_snapshot!(double.run(&["agents", "--watch=5 minuts"]), @"
    exit 2
    --- stderr
    error: `5 minuts` is not a value for `--watch[=<SECONDS>]`
    cause: not a duration; e.g. 90s, 2h30m or 1d
             5 minuts
               ^^^^^^
    ");
    assert_snapshot!(double.run(&["top", "--filter", "kind=exec knid=x"]), @"
    exit 2
    --- stderr
    error: the filter could not be read
    cause: unknown field knid; did you mean kind?
           kind=exec knid=x
                     ^
    hint: e.g. --filter 'kind=exec,net_connect verdict!=allow'; `?` in the dashboard lists the fields
    ");
}

#[test]
fn colours_and_times_are_as_they_were_asked_for() {
    let double = double();
    let colored = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = double.command(arguments).envs(environment.iter().copied()).output().expect("it runs");
        output.stdout.contains(&0x1b)
    };
    assert!(!colored(&["agents"], &[]), "a pipe");
    assert!(colored(&["agents", "--color", "always"], &[("NO_COLOR", "1")]), "the flag goes first");
    assert!(colored(&["agents"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["agents"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colored(&["agents"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), "an empty variable says nothing");
    let seen =
        |more: &[&str]| double.stdout(&with(&["agents", "build-017", "--no-headers", "--columns", "last_seen"], more));
    assert_eq!(seen(&[]), "9m39s ago\n");
    assert_eq!(seen(&["--time", "rfc3339"]), "2026-11-22T19:30:00Z\n");
    assert_eq!(seen(&["--time", "rfc3339", "--tz", "Europe/Berlin"]), "2026-11-22T20:30:00+01:00\n");
}
