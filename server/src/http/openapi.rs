//! `GET /openapi.json`: this interface, described for programs.
//!
//! Each handler carries its own description (`#[utoipa::path]`). What follows from rules that hold for all of them is
//! added here, once: the errors that a request of that form may meet, an id for each operation, and the routes that answer
//! under two names. A frozen copy is in `docs/openapi.json`.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::json::Json;
use super::params::NoParams;
use super::{
    agent_types, agents, alerts, assignments, audit, auth, ca, db, discovered_agents, events, health, metrics,
    policies, snapshot, stats, stream, tokens, users,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tyr",
        description = "What AI agents do on a fleet of hosts, and the policies that govern them. Errors have one shape, \
                       with a stable `code`; times are RFC 3339 in UTC; a query parameter that an address does not know, \
                       or that is given twice, is an error.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    modifiers(&Session),
    // A new handler is named here; the order does not matter.
    paths(
        health::show,
        metrics::show,
        show,
        auth::status,
        auth::set_up,
        auth::log_in,
        auth::log_out,
        auth::me,
        auth::change_password,
        auth::rotate_key,
        users::list,
        users::create,
        users::show,
        users::change,
        users::delete,
        ca::show,
        agents::list,
        agents::show,
        agents::change,
        agents::revoke,
        agents::effective_policy,
        agent_types::list,
        agent_types::approve,
        agent_types::quarantine,
        discovered_agents::list,
        discovered_agents::show,
        discovered_agents::change,
        events::list,
        events::show,
        stream::follow,
        stats::rate,
        stats::drift,
        stats::agents,
        db::show,
        snapshot::show,
        policies::list,
        policies::show,
        policies::apply,
        policies::roll_back,
        assignments::list,
        assignments::show,
        assignments::create,
        assignments::end,
        audit::list,
        alerts::list,
        alerts::acknowledge,
        alerts::webhooks,
        alerts::create_webhook,
        alerts::delete_webhook,
        alerts::test_webhook,
        tokens::list,
        tokens::create,
        tokens::revoke,
    ),
    // What only parameters name.
    components(schemas(
        tyr_api::alerts::AlertFilter,
        tyr_api::error::ErrorBody,
        tyr_api::stats::DriftBy,
        tyr_api::stats::RateBy,
    )),
)]
struct Described;

/// The way to log in.
struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document.components.get_or_insert_default().add_security_scheme("session", SecurityScheme::Http(bearer));
    }
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// This description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Map<String, Value>)),
)]
pub async fn show(_: NoParams) -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// The whole description.
///
/// # Panics
/// Never: the types are JSON, and each path is one of ours.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Described::openapi()).expect("the description is JSON");
    document["info"]["version"] = Value::from(crate::VERSION);
    let paths = document["paths"].as_object_mut().expect("there are paths");
    under_both_names(paths);
    for (path, item) in paths.iter_mut() {
        for (method, operation) in item.as_object_mut().expect("a path is an object") {
            complete(path, method, operation);
        }
    }
    document["components"]["responses"] = errors()
        .iter()
        .map(|(status, name, description)| ((*name).to_owned(), error_answer(*status, description)))
        .collect::<Map<_, _>>()
        .into();
    // By name, whatever order the types were met in.
    document.sort_all_objects();
    document
}

/// Agents answer under their documented name too.
fn under_both_names(paths: &mut Map<String, Value>) {
    let daemons: Vec<(String, Value)> = paths
        .iter()
        .filter_map(|(path, item)| {
            let rest = path.strip_prefix("/api/v1/agents")?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (format!("/api/v1/daemons{rest}"), item.clone()))
        })
        .collect();
    paths.extend(daemons);
}

/// Adds what follows from an operation's form.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let words = path.trim_start_matches("/api/v1").replace(['{', '}'], "");
    let words: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    operation["operationId"] = Value::from(format!("{method}_{}", words.join("_")));
    let parameters = operation["parameters"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let in_path = parameters.iter().any(|parameter| parameter["in"] == "path");
    for parameter in parameters {
        without_null(&mut parameter["schema"]);
    }
    if operation["parameters"].is_null() {
        operation.as_object_mut().expect("an operation is an object").remove("parameters");
    }
    let role = operation["security"][0]["session"][0].as_str().map(str::to_owned);
    if role.is_none() {
        operation["security"] = json!([]);
    }
    let body = operation.get("requestBody").is_some();
    let may_be = |status: u16| match status {
        400 | 500 | 503 => true,
        401 => role.is_some(),
        403 => role.as_deref() == Some("admin"),
        404 => in_path,
        408 | 413 | 415 => body,
        _ => false,
    };
    let answers = operation["responses"].as_object_mut().expect("every operation has answers");
    for (status, name, _) in errors().iter().filter(|(status, ..)| may_be(*status)) {
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        answers.entry(status.to_string()).or_insert(reference);
    }
    // What a probe asks answers in its own words, and ignores the query.
    if path == "/health" {
        answers.retain(|status, _| status == "200" || status == "503");
    }
}

/// A parameter is given or not; none is `null`.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array() {
        let other = types.iter().find(|name| *name != "null").cloned();
        schema["type"] = other.unwrap_or_default();
    }
    if let Some(others) = schema["oneOf"].as_array() {
        let other = others.iter().find(|other| other["type"] != "null").cloned();
        *schema = other.unwrap_or_default();
    }
    if let Some(object) = schema.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}

/// Errors that any operation of a certain form may answer.
fn errors() -> [(u16, &'static str, &'static str); 9] {
    [
        (400, "BadRequest", "The request itself is wrong: a parameter, an id or the body"),
        (401, "Unauthorized", "Not logged in, or the session is no longer valid"),
        (403, "Forbidden", "The user may not do this"),
        (404, "NotFound", "What the path names does not exist"),
        (408, "RequestTimeout", "The body did not arrive in time"),
        (413, "PayloadTooLarge", "The body is larger than 512 KiB"),
        (415, "UnsupportedMediaType", "The body is not JSON"),
        (500, "Internal", "The server failed; its log names the cause under the request's id"),
        (503, "Unavailable", "The database is away, or the server is busy; try again"),
    ]
}

fn error_answer(status: u16, description: &str) -> Value {
    let mut answer = json!({
        "description": description,
        "headers": {"X-Request-Id": {"description": "Finds the request in the server's log", "schema": {"type": "string", "format": "uuid"}}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    });
    if status == 401 {
        answer["headers"]["WWW-Authenticate"] = json!({"description": "How to log in", "schema": {"type": "string"}});
    }
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::document;

    /// Every `$ref` below a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.push(reference.clone());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn names_nothing_that_is_not_there() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a reference into this document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn operations_have_ids_of_their_own() {
        let document = document();
        let mut ids: Vec<&str> = document["paths"]
            .as_object()
            .expect("paths")
            .values()
            .flat_map(|item| item.as_object().expect("operations").values())
            .map(|operation| operation["operationId"].as_str().expect("an id"))
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.contains(&"get_agents_id_effective_policy") && ids.contains(&"get_daemons"));
    }
}
