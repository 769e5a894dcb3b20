//! Rules with a condition that processes are held to: they deny, until the process ends or the rule changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tyr_agent::decode::{Judged, TreeId};
use tyr_agent::fingerprints::Fingerprints;
use tyr_agent::kernel::{Kernel, Options, detach};
use tyr_policy::{Action, Effective, Image, Verdict};

use super::super::ground::{Ground, Waiting};
use super::{changed, effective, enforcing, enforcing_with, judged, made};

const RULES: &str = "
    - {name: other, action: file_read, resource_pattern: '**/other/**', verdict: deny, condition: 'context.uid == 0'}
    - {name: keys, action: file_read, resource_pattern: '**/keys/**', verdict: deny, condition: 'context.uid == 0'}
    - {name: shown, action: file_read, resource_pattern: '**/keys/shown', verdict: alert}
    - {name: tools, action: exec, resource_pattern: '**/tool', verdict: deny, condition: 'context.uid == 0'}
    - {name: kept, action: file_write, resource_pattern: '**/kept/**', verdict: deny, condition: 'context.uid == 0'}
";

/// Tries all at each step, in itself, in a child that ran before the first, and in one that it starts anew. Between the steps it reads
/// what it may read, on and on.
const SCRIPT: &str = r#"cd "$0" || exit 9
try() { : > tried
  { read x < keys/file; } 2>/dev/null && echo "read yes" >> tried || echo "read no" >> tried
  { echo x > kept/file; } 2>/dev/null && echo "write yes" >> tried || echo "write no" >> tried
  mv kept moved 2>/dev/null && mv moved kept && echo "move yes" >> tried || echo "move no" >> tried
  ./tool 2>/dev/null && echo "run yes" >> tried || echo "run no" >> tried
  { read x < other/file; } 2>/dev/null && echo "other yes" >> tried || echo "other no" >> tried
  mv tried "$1.$2"; }
mkdir before after; cp -r keys other kept tool before; cp -r keys other kept tool after
( cd before; for step in 0 1 2 3; do until [ -e ../go.$step ]; do sleep 0.02; done; try ../before $step; done ) &
for step in 0 1 2 3; do
  until [ -e go.$step ]; do
    marked=no; [ -e held ] && marked=yes
    { read x < keys/file; } 2>/dev/null && [ $marked = yes ] && echo "$step" >> late
  done
  rm -f held; try own $step; ( cd after; try ../after $step )
done; wait"#;

/// What was denied at a step; the same for all three.
fn denied_in_step(folder: &Path, step: u32) -> Vec<String> {
    fs::write(folder.join(format!("go.{step}")), "").expect("writable");
    let said = ["own", "before", "after"].map(|who| {
        let name = format!("{who}.{step}");
        made(folder, &name);
        let text = fs::read_to_string(folder.join(name)).expect("made");
        let line = |line: &str| line.split_once(' ').map(|(what, done)| (what.to_owned(), done == "yes"));
        text.lines().filter_map(line).collect::<BTreeMap<_, _>>()
    });
    let [own, before, after] = said;
    assert_eq!(own.len(), 5, "{own:?}");
    assert_eq!(own, before, "a child that ran before, in step {step}");
    assert_eq!(own, after, "a child that was started after, in step {step}");
    own.into_iter().filter(|(_, done)| !done).map(|(what, _)| what).collect()
}

fn furnish(folder: &Path) {
    for name in ["keys", "other", "kept"] {
        fs::create_dir(folder.join(name)).expect("writable");
        fs::write(folder.join(name).join("file"), "x\n").expect("writable");
    }
    fs::write(folder.join("tool"), "#!/bin/sh\nexit 0\n").expect("writable");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.join("tool"), executable).expect("writable");
}

fn start(ground: &Ground, script: &str) -> (Waiting, u32, TreeId) {
    let folder = ground.folder.path().canonicalize().expect("it exists").display().to_string();
    let waiting = ground.start("/bin/sh", &["-c", script, &folder]);
    let pid = waiting.pid();
    let tree = ground.kernel.mark(pid, "test-agent").expect("marked");
    (waiting, pid, tree)
}

fn publish(kernel: &Kernel, effective: &Effective) {
    kernel.publish(&Image::new(effective).expect("fits")).expect("published");
}

fn identity(effective: &Effective, name: &str) -> u64 {
    effective.rules().find(|r| r.rule.name == name).expect("a rule").identity()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_and_its_descendants_are_held_to_rules() {
    let Some(mut ground) = enforcing() else { return };
    let rules = effective(RULES);
    publish(&ground.kernel, &rules);
    let folder = ground.folder.path().canonicalize().expect("it exists");
    furnish(&folder);
    let (waiting, pid, tree) = start(&ground, SCRIPT);
    let mut child = waiting.go();
    assert_eq!(denied_in_step(&folder, 0), [""; 0], "nobody is held to anything");

    assert!(ground.kernel.hold(pid, tree, identity(&rules, "keys")).expect("held") >= 2, "the child that runs too");
    fs::write(folder.join("held"), "").expect("writable");
    assert_eq!(denied_in_step(&folder, 1), ["read"]);
    for rule in ["tools", "kept"] {
        assert!(ground.kernel.hold(pid, tree, identity(&rules, rule)).expect("held") >= 2);
    }
    assert_eq!(denied_in_step(&folder, 2), ["move", "read", "run", "write"]);

    // Another version: of the rules one is the same at another place, one says something else, one is gone.
    publish(
        &ground.kernel,
        &effective(
            "
    - {name: kept, action: file_write, resource_pattern: '**/kept/**', verdict: deny, condition: 'context.uid == 0'}
    - {name: other, action: file_read, resource_pattern: '**/other/**', verdict: deny, condition: 'context.uid == 0'}
    - {name: keys, action: file_read, resource_pattern: '**/keys/**', verdict: deny, condition: 'context.uid == 1'}
",
        ),
    );
    assert_eq!(denied_in_step(&folder, 3), ["move", "write"]);
    assert!(child.wait().expect("ends").success());
    assert_eq!(fs::read_to_string(folder.join("late")).unwrap_or_default(), "", "what was allowed a moment ago");

    let events = ground.until_end(tree).await;
    let judged = judged(&events);
    assert!(judged.iter().all(|(_, said)| !said.failed));
    let denied = |action, rule, generation| {
        let own = |said: &&&Judged| {
            (said.action, said.verdict, said.rule, said.generation) == (action, Verdict::Deny, Some(rule), generation)
        };
        judged.iter().map(|(_, said)| said).filter(own).count()
    };
    assert!(denied(Action::FileRead, 1, 1) >= 6, "by the rule that they are held to: {judged:#?}");
    assert!(denied(Action::Exec, 3, 1) >= 3 && denied(Action::FileWrite, 4, 1) >= 3);
    assert!(denied(Action::FileWrite, 0, 2) >= 3);
    assert_eq!(denied(Action::FileRead, 1, 2) + denied(Action::FileRead, 2, 2), 0);
}

/// Whether a process can read, as it says of a round that begins from now on.
async fn reads(folder: &Path, name: &str) -> bool {
    let file = folder.join(name);
    let first = changed(&file, &fs::read_to_string(&file).unwrap_or_default()).await;
    changed(&file, &first).await.starts_with("yes")
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_not_held_and_the_next_agent_goes_on() {
    let pins = PathBuf::from(format!("/sys/fs/bpf/tyr-held-{}", std::process::id()));
    let Some(ground) = enforcing_with(|options| options.pins = Some(pins.clone())) else { return };
    let rules = effective(RULES);
    publish(&ground.kernel, &rules);
    ground.kernel.keep().expect("kept");
    let folder = ground.folder.path().canonicalize().expect("it exists");
    furnish(&folder);
    // The parent of the one that is held, and another child of it, say in each round whether they could read.
    let (waiting, _, tree) = start(
        &ground,
        r#"cd "$0" || exit 9
        round() { { read x < keys/file; } 2>/dev/null && said=yes || said=no
          n=$((n+1)); echo "$said $n" > $1.new; mv $1.new $1; sleep 0.02; }
        tries() { n=0; until [ -e stop ]; do round $1; done; }
        ( tries held ) & echo $! > pid.new; mv pid.new pid; ( tries beside ) & tries parent; wait"#,
    );
    let mut child = waiting.go();
    made(&folder, "pid");
    let pid = fs::read_to_string(folder.join("pid")).expect("made").trim().parse().expect("a number");
    assert!(ground.kernel.hold(pid, tree, identity(&rules, "keys")).expect("held") >= 1);
    for (who, can) in [("held", false), ("beside", true), ("parent", true)] {
        assert_eq!(reads(&folder, who).await, can, "{who}");
    }

    let Ground { kernel, events, cgroup, folder: _kept, .. } = ground;
    drop((kernel, events));
    assert!(!reads(&folder, "held").await, "without an agent");
    let kernel = Kernel::load(Options {
        scope: Some(cgroup.path.clone()),
        fingerprints: Fingerprints::default(),
        merge_opens: false,
        merge_allowed: true,
        pins: Some(pins.clone()),
        without: Vec::new(),
    })
    .expect("loads beside the other");
    publish(&kernel, &rules);
    kernel.keep().expect("taken over");
    for (who, can) in [("held", false), ("beside", true), ("parent", true)] {
        assert_eq!(reads(&folder, who).await, can, "{who} under the next agent");
    }
    fs::write(folder.join("stop"), "").expect("writable");
    assert!(child.wait().expect("ends").success());
    drop(kernel);
    detach(&pins).expect("taken off");
    fs::remove_dir(&pins).expect("it is empty");
}
