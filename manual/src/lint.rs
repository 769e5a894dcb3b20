//! Whether pages are what the formatters take without a word of warning. For tests.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// Program, arguments that read a page from standard input, and whether complaints come on standard output.
const FORMATTERS: [(&str, &[&str], bool); 3] = [
    ("mandoc", &["-T", "lint", "-W", "warning"], true),
    ("groff", &["-ww", "-Tutf8", "-man"], false),
    // What a reader does.
    ("man", &["--warnings", "-l", "-"], false),
];

/// The complaints of mandoc, groff and man about these pages, given by file name and text.
///
/// A formatter that is missing is said by name.
///
/// # Panics
///
/// When a formatter is missing where the run promises it: `CI=true`, or `TYR_KERNEL_TESTS=required`.
pub fn complaints(pages: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (program, arguments, on_stdout) in FORMATTERS {
        for (name, text) in pages {
            match run(program, arguments, text) {
                Ok((output, errors)) => {
                    let said = if on_stdout { output } else { errors };
                    complaints.extend(said.lines().map(|line| format!("{name}: {program}: {line}")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing(program);
                    break;
                }
                Err(error) => complaints.push(format!("{name}: {program}: {error}")),
            }
        }
    }
    complaints
}

fn run(program: &str, arguments: &[&str], page: &str) -> io::Result<(String, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("MANPAGER", "cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().expect("a pipe");
    let page = page.to_owned();
    // Beside the reading, as both pipes are of limited size.
    let writer = std::thread::spawn(move || input.write_all(page.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("no panic")?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(output.stdout), text(output.stderr)))
}

fn missing(program: &str) {
    let promised = std::env::var("CI").is_ok_and(|value| value == "true")
        || std::env::var("TYR_KERNEL_TESTS").is_ok_and(|value| value == "required");
    assert!(!promised, "man pages can't be checked: {program} is missing; `./dev test` installs it");
    let _ = writeln!(io::stderr(), "man pages are not checked by {program}: it is missing; `./dev test` installs it");
}
