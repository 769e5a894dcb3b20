use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/db/sql");

fn now() -> Timestamp {
    "2026-11-22T17:02:41.123456789Z".parse().expect("a time")
}

/// The numbers of the parameters in a text.
fn numbers(text: &str) -> BTreeSet<usize> {
    Pieces(text).filter_map(|piece| if let Piece::Param(number) = piece { Some(number) } else { None }).collect()
}

#[test]
fn every_text_of_the_server_that_answers_something_is_in_the_catalog() {
    // What changes something answers nobody, and a broken stream is resumed behind an event, not asked for anything.
    let others = ["events_replay", "recount_drift", "write_down_sizes"];
    let mut texts = BTreeSet::new();
    for folder in [FOLDER.to_owned(), format!("{FOLDER}/documented")] {
        for entry in std::fs::read_dir(folder).expect("the server's folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            if path.is_file() && !others.contains(&name.as_str()) {
                texts.insert(std::fs::read_to_string(path).expect("UTF-8"));
            }
        }
    }
    let ours: BTreeSet<String> = catalog::ALL.iter().map(|statement| statement.text.to_owned()).collect();
    assert_eq!(ours, texts);
}

#[test]
fn names_are_unique_and_parameters_are_those_of_the_text() {
    let names: BTreeSet<&str> = catalog::ALL.iter().map(|statement| statement.name).collect();
    assert_eq!(names.len(), catalog::ALL.len());
    for statement in catalog::ALL {
        let expected: BTreeSet<usize> = (1..=statement.params.len()).collect();
        assert_eq!(numbers(statement.text), expected, "{}", statement.name);
    }
}

#[test]
fn what_is_printed_has_no_parameter_and_no_mark_left() {
    for statement in catalog::ALL {
        let page = statement.bind(now()).page("x");
        let text: String = page.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        assert!(numbers(&text).is_empty(), "{page}");
        assert!(
            !text.contains("!\"") && !text.contains("Json<") && !text.contains("?\"") && !text.contains("NULL IS NULL"),
            "{page}"
        );
        assert!(text.ends_with(';') && !text.ends_with(";;") && !text.contains("WHERE\n"), "{page}");
        assert_eq!(text.matches('(').count(), text.matches(')').count(), "{page}");
    }
}

#[test]
fn the_manual_s_texts_are_word_by_word() {
    let page = catalog::M3.bind(now()).page("tyrctl agents --stale=2m");
    assert_snapshot!(page, @"
    -- tyrctl agents --stale=2m
    SELECT agent_id, name, now() - last_seen AS staleness
    FROM agents
    WHERE last_seen < now() - interval '2 minutes'
    ORDER BY staleness DESC;
    ");
    for statement in [&catalog::M3, &catalog::M6, &catalog::M8, &catalog::M11] {
        assert!(statement.bind(now()).page("x").ends_with(statement.text), "{}", statement.name);
    }
}

#[test]
fn values_stand_where_parameters_were() {
    let bound = catalog::DRIFT.bind(now()).with("agent", Value::Agent("o'neill".to_owned()));
    assert_snapshot!(bound.page("tyrctl drift --since 1d --agent \"o'neill\""), @r#"
    -- tyrctl drift --since 1d --agent "o'neill"
    -- $1 since: timestamptz '2026-11-21T17:02:41.123456Z'
    -- $2 until: now()
    -- $3 agent: coalesce((SELECT agent_id FROM agents WHERE name = 'o''neill' ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '00000000-0000-0000-0000-000000000000')
    WITH sustained AS ( -- drift in three of the last five windows of five minutes, as the alert rule counts it
        SELECT agent_id
          FROM alert_minutes
         WHERE minute > now() - interval '25 minutes' AND minute <= now() AND drifts_stale + drifts_differing > 0
         GROUP BY agent_id
        HAVING count(DISTINCT floor(extract(epoch FROM now() - minute) / 300)) >= 3)
    SELECT d.agent_id, coalesce(a.name, '') AS agent_name, d.drifts AS drifts, coalesce(s.severe, 0) AS severe,
           d.last_ts AS last_ts,
           d.agent_id IN (SELECT agent_id FROM sustained) AS sustained
      FROM (SELECT agent_id, count(*) AS drifts, max(ts) AS last_ts
              FROM events
             WHERE drift_detected = true AND ts > timestamptz '2026-11-21T17:02:41.123456Z' AND ts <= now() AND (agent_id = coalesce((SELECT agent_id FROM agents WHERE name = 'o''neill' ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '00000000-0000-0000-0000-000000000000'))
             GROUP BY agent_id) d
      LEFT JOIN (SELECT agent_id, count(*) AS severe -- alerts that should have been denials
                   FROM events
                  WHERE drift_detected AND verdict = 'alert' AND server_verdict = 'deny'
                    AND ts > timestamptz '2026-11-21T17:02:41.123456Z' AND ts <= now() AND (agent_id = coalesce((SELECT agent_id FROM agents WHERE name = 'o''neill' ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '00000000-0000-0000-0000-000000000000'))
                  GROUP BY agent_id) s USING (agent_id)
      LEFT JOIN agents a USING (agent_id)
     ORDER BY d.drifts DESC, d.agent_id;
    "#);
}

#[test]
fn conditions_that_are_not_asked_for_are_left_out() {
    let stale = catalog::AGENTS.bind(now()).with("unheard_for_s", Value::Number(120));
    let text = stale.text();
    let (_, conditions) = text.split_once(" WHERE (false OR").expect("the first condition");
    assert_snapshot!(conditions, @"
     (a.archived_at IS NULL AND a.revoked_at IS NULL))
       AND (a.last_seen < now() - make_interval(secs => 120))
     ORDER BY a.name, a.agent_id
    ");
    let all = catalog::EVENTS.bind(now()).with("limit", Value::Nothing).text();
    let (_, conditions) = all.split_once("  FROM ").expect("a table");
    assert_snapshot!(conditions, @"
    (SELECT * FROM events
             ORDER BY ts DESC, event_id DESC) e
      LEFT JOIN agents a USING (agent_id)
     ORDER BY e.ts DESC, e.event_id DESC
    ");
    let second = catalog::EVENTS.bind(now()).with("drift", Value::Flag(true)).text();
    assert!(second.contains("WHERE (drift_detected = true)\n         ORDER BY"), "{second}");
}

#[test]
fn nothing_that_is_given_gets_out_of_its_quotes() {
    for hostile in [
        "'; DROP TABLE events; --",
        "\\'; DROP TABLE events; --",
        "a\n; DROP TABLE events;",
        "\u{1b}[2J'",
        "$1",
        "\u{202e}\\'",
    ] {
        let bound = catalog::AI.bind(now()).with("type", Value::Text(hostile.to_owned()));
        let page = bound.page(&format!("tyrctl ai --type {hostile}"));
        assert!(!page.chars().any(|c| c != '\n' && acts(c)), "{page:?}");
        let statement: Vec<&str> = page.lines().filter(|line| !line.starts_with("-- ")).collect();
        // Outside of quotes nothing is left of it.
        let statement = statement.join("\n");
        let outside: String = outside_of_quotes(&statement);
        assert!(!outside.contains("DROP") && outside.matches(';').count() == 1, "{page}");
    }
}

/// What PostgreSQL reads as statements, quoted texts left out; in `E'…'` a backslash takes the next character's meaning.
fn outside_of_quotes(text: &str) -> String {
    let mut outside = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\'' {
            outside.push(c);
            continue;
        }
        let escapes = outside.ends_with('E');
        while let Some(inner) = chars.next() {
            match inner {
                '\\' if escapes => {
                    chars.next();
                }
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                }
                '\'' => break,
                _ => {}
            }
        }
    }
    outside
}
