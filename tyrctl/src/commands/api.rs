//! `tyrctl api`: one request as it is, with the stored login.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use super::{Outcome, change::may_go_on};
use crate::app::App;
use crate::args::{ApiArgs, ApiMethod, Format};
use crate::error::Failure;

/// Largest body that is sent, in bytes: what the server takes.
const BODY_BYTES_MAX: u64 = 512 * 1024;

/// `api METHOD PATH`.
pub(super) async fn run(app: &App, args: &ApiArgs) -> Result<Outcome, Failure> {
    let body = args.input.as_deref().map(read).transpose()?;
    let path = if args.path.starts_with('/') { args.path.clone() } else { format!("/api/v1/{}", args.path) };
    // What a request does is not to be seen in it: `POST policy-assignments` puts a policy in force.
    if args.method != ApiMethod::Get && !may_go_on(app, &described(args, &path, body.as_ref()), args.change)? {
        return Ok(Outcome::Done);
    }
    let answer = app.client()?.raw(args.method.into(), &path, &args.query, body.as_ref()).await?;
    if answer.is_empty() {
        return Ok(Outcome::Done);
    }
    match (serde_json::from_slice::<Value>(&answer), app.out.format) {
        (Ok(value), Format::Jsonl) => match value.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().try_for_each(|item| app.out.document(item))?,
            None => app.out.document(&value)?,
        },
        (Ok(value), _) => app.out.document(&value)?,
        (Err(_), _) => {
            let text = String::from_utf8_lossy(&answer);
            text.lines().try_for_each(|line| app.out.line(line))?;
        }
    }
    Ok(Outcome::Done)
}

/// The request in words: what is sent where, and with what.
fn described(args: &ApiArgs, path: &str, body: Option<&Value>) -> String {
    let method = Method::from(args.method);
    let query: Vec<String> = args.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    // The body may hold a password.
    let body = if body.is_some() { " with the given body" } else { "" };
    format!("send `{method} {path}{query}`{body}")
}

impl From<ApiMethod> for Method {
    fn from(method: ApiMethod) -> Self {
        match method {
            ApiMethod::Get => Self::GET,
            ApiMethod::Post => Self::POST,
            ApiMethod::Patch => Self::PATCH,
            ApiMethod::Delete => Self::DELETE,
        }
    }
}

/// The body, which has to be JSON: everything that the server takes is.
fn read(file: &Path) -> Result<Value, Failure> {
    let (name, read) = if file == Path::new("-") {
        ("standard input".to_owned(), take(io::stdin().lock()))
    } else {
        (file.display().to_string(), fs::File::open(file).and_then(take))
    };
    let failure = || Failure::failed(format!("the body `{name}` could not be read"));
    let bytes = read.map_err(|error| failure().because(&error))?;
    if bytes.len() as u64 > BODY_BYTES_MAX {
        return Err(failure().cause(format!("it is larger than {BODY_BYTES_MAX} bytes")));
    }
    serde_json::from_slice(&bytes).map_err(|error| failure().because(&error).hint("the body is one JSON document"))
}

fn take(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
