//! `tyrctl config` and `tyrctl keys`.

use insta::assert_snapshot;

use crate::double::{Answers, Double};

#[test]
fn what_is_in_force_says_where_it_comes_from() {
    let double = Double::start(Answers::fleet());
    double.stdout(&["context", "add", "default", "--tz", "Europe/Berlin", "--read-only"]);
    assert_eq!(double.run(&["config", "path"]), "exit 0\n--- stdout\n[config]/tyr/config.toml\n");
    let show = ["config", "show", "--timeout", "3s", "-o", "tsv", "--no-headers", "--columns", "name,value,origin"];
    assert_eq!(
        double
            .stdout(&show)
            .replace(&double.url(), "[server]")
            .replace(&double.config().display().to_string(), "[config]"),
        [
            "context\tdefault\t[config]/config.toml, current\n",
            "server\t[server]\tTYR_SERVER\n",
            "ca_file\t\tdefault\n",
            "token\t[config]/token\ttyrctl login\n",
            "username\t\tdefault\n",
            "timezone\tEurope/Berlin\t[config]/config.toml, context.default\n",
            "read_only\ttrue\t[config]/config.toml, context.default\n",
            "timeout\t3s\t--timeout\n",
        ]
        .concat()
    );
    let head = |arguments: &[&str]| double.stdout(arguments).lines().next().expect("a head").split_whitespace().count();
    assert_eq!((head(&["config", "show"]), head(&["config", "show", "--origin"])), (2, 3));
    let mut command = double.command(&["config", "show", "-o", "tsv", "--no-headers", "--columns", "name,origin"]);
    let shown = command.env_remove("TYR_SERVER").env("TYR_TOKEN", "hunter2").output().expect("it runs").stdout;
    let shown = String::from_utf8(shown).expect("UTF-8");
    assert!(shown.contains("server\t") && shown.contains("config.toml, context.default\n"), "{shown}");
    assert!(shown.contains("token\tTYR_TOKEN\n") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn wrong_configurations_are_found_with_their_place() {
    let double = Double::start(Answers::fleet());
    let file = double.config().join("config.toml");
    assert_eq!(double.run(&["config", "check"]), "exit 0\n--- stdout\n✓ [config]/tyr/config.toml is right\n");
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    write("[context.prod]\nserver = \"https://tyr:7701\"\nreadonly = true\n");
    assert_snapshot!(double.run(&["config", "check"]), @"
    exit 1
    --- stderr
    error: configuration `[config]/tyr/config.toml` could not be read
    cause: TOML parse error at line 3, column 1
             |
           3 | readonly = true
             | ^^^^^^^^
           unknown field `readonly`, expected one of `server`, `ca_file`, `username`, `timezone`, `read_only`
    ");
    assert!(double.run(&["agents"]).starts_with("exit 1\n"), "others don't go on with half a configuration");
    assert!(double.run(&["config", "path"]).starts_with("exit 0\n"), "but this one says where to mend it");
    write("current = \"prd\"\n[context.prod]\nserver = \"tyr:7701\"\nca_file = \"/nonexistent.pem\"\n");
    assert_snapshot!(double.run(&["config", "check"]), @"
    exit 1
    --- stderr
    error: the configuration is not right
    cause: current: there is no context `prd`
    cause: context.prod.server: `tyr:7701` is no server address: it names no host
    cause: context.prod.ca_file: CA file `/nonexistent.pem` could not be used: No such file or directory (os error 2)
    hint: did you mean `prod`?
    hint: e.g. https://tyr.example.com:7701
    hint: the server writes it to `ca.pem` in its data folder ($TYR_DATA_DIR)
    ");
}

#[test]
fn the_schema_is_one_and_the_keys_are_those_of_the_dashboard() {
    let double = Double::start(Answers::fleet());
    let schema: serde_json::Value = serde_json::from_str(&double.stdout(&["config", "schema"])).expect("JSON");
    assert_eq!(schema["properties"]["context"]["additionalProperties"]["required"][0], "server");
    let keys = double.stdout(&["keys", "-o", "tsv", "--no-headers"]);
    assert_eq!(keys.lines().count(), tyrctl::tui::input::BINDINGS.iter().filter(|key| !key.help.is_empty()).count());
    let markdown = double.stdout(&["keys", "--markdown"]);
    assert!(
        markdown.starts_with("| keys | action |\n|---|---|\n")
            && markdown.contains("| `?` | this help; / searches in it |"),
        "{markdown}"
    );
}
