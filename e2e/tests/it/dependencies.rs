//! One TLS provider, and one version of each big crate.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use tyr_e2e::stack::text;

#[test]
fn the_tree_holds_one_tls_provider_and_nothing_big_twice() {
    // Not Cargo.lock: that also lists what no feature turns on.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "--edges", "normal,build"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let tree = text(&tree).expect("cargo tree");
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        if let [name, version, ..] = line.split(' ').collect::<Vec<_>>()[..] {
            versions.entry(name).or_default().insert(version);
        }
    }
    for absent in ["ring", "openssl", "native-tls"] {
        assert!(!versions.contains_key(absent), "{absent} is in the tree: `cargo tree -i {absent}` shows why");
    }
    let once = [
        "aws-lc-rs",
        "axum",
        "clap",
        "crossterm",
        "hyper",
        "prost",
        "ratatui",
        "reqwest",
        "rustls",
        "sqlx",
        "tokio",
        "tonic",
    ];
    for name in once {
        assert_eq!(versions.get(name).map(BTreeSet::len), Some(1), "`cargo tree -d` shows who wants which {name}");
    }
}
