//! Compiles the kernel programs of `ebpf/` with clang; the object is embedded in the agent.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Newest first; 14 is what Debian 12 calls `clang`.
const CLANGS: [&str; 7] = ["clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14"];

fn main() {
    let sources = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../ebpf");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed={}", sources.display());
    println!("cargo::rerun-if-env-changed=CLANG");

    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let (define, multiarch) = match arch.as_str() {
        "x86_64" => ("x86", "x86_64-linux-gnu"),
        "aarch64" => ("arm64", "aarch64-linux-gnu"),
        other => fail(&format!("tyrd has no kernel programs for {other}"), "build for x86_64 or aarch64"),
    };
    let clang = env::var("CLANG").ok().or_else(|| {
        CLANGS.iter().copied().find(|name| Command::new(name).arg("--version").output().is_ok()).map(str::to_owned)
    });
    let Some(clang) = clang else {
        fail("clang is missing: the kernel programs are written in C", "apt-get install clang-16 libbpf-dev")
    };
    if !["/usr/include", "/usr/local/include"].iter().any(|dir| Path::new(dir).join("bpf/bpf_helpers.h").exists()) {
        fail("the headers of libbpf are missing", "apt-get install libbpf-dev");
    }
    let output = Command::new(&clang)
        .args(["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"])
        // bpf_tracing.h includes nothing of the kernel, but asks for the architecture; paths in the object would differ
        // from one checkout to the next.
        .args([&format!("-D__TARGET_ARCH_{define}"), &format!("-I/usr/include/{multiarch}")])
        .arg(format!("-ffile-prefix-map={}=.", sources.display()))
        .arg("-c")
        .arg(sources.join("tyr.bpf.c"))
        .arg("-o")
        .arg(out.join("tyr.bpf.o"))
        .output()
        .unwrap_or_else(|e| fail(&format!("`{clang}` can't be started: {e}"), "set CLANG to a clang from 14 on"));
    if !output.status.success() {
        fail(&format!("{clang} failed:\n{}", String::from_utf8_lossy(&output.stderr)), "clang from 14 on is needed");
    }
}

/// Ends the build with what is wrong and what to do.
fn fail(what: &str, hint: &str) -> ! {
    println!("cargo::error={}", what.replace('\n', " | "));
    println!("cargo::error=hint: {hint}");
    std::process::exit(1)
}
