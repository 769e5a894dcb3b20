//! `docs/openapi.json` is what the server answers at `/openapi.json`. `TYR_UPDATE=1` writes it.

use std::fs;
use std::path::Path;

use tyr_server::http::openapi;

const REMEDY: &str = "run `TYR_UPDATE=1 cargo test -p tyr-server --test it generated` and commit the result";

#[test]
fn the_description_of_the_interface_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let mut expected = serde_json::to_string_pretty(&openapi::document()).expect("JSON");
    expected.push('\n');
    if std::env::var_os("TYR_UPDATE").is_some() {
        fs::write(&file, &expected).expect("the file can be written");
    }
    let present = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}; {REMEDY}", file.display()));
    assert!(present == expected, "docs/openapi.json differs; {REMEDY}");
}
