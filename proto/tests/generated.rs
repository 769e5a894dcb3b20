//! The committed code is what the .proto files say.

use std::path::Path;

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files =
        protox::compile(["agent.proto", "events.proto"], [root.join("proto")]).expect("the .proto files compile");
    let out = tempfile::tempdir().expect("a temporary folder");
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .btree_map(".")
        .out_dir(out.path())
        .compile_fds(files)
        .expect("code generation");
    let fresh = std::fs::read_to_string(out.path().join("tyr.v1.rs")).expect("one file per package");
    let committed = root.join("src/generated/tyr.v1.rs");
    if std::env::var_os("TYR_UPDATE").is_some() {
        std::fs::write(&committed, &fresh).expect("the generated file is writable");
    }
    let current = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        current == fresh,
        "proto/src/generated/tyr.v1.rs differs from proto/proto/*.proto; run `TYR_UPDATE=1 cargo test -p tyr-proto` and commit it"
    );
}
