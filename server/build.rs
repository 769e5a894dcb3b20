//! Migrations are embedded by a macro that the compiler doesn't see reading them.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed=build.rs");
}
