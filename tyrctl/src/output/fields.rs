//! `--json=FIELDS`: some fields of what a command prints as JSON.

use serde_json::{Map, Value};

use super::nearest;
use crate::error::Failure;

/// Leaves only these fields of an object or of each object of a list.
///
/// # Errors
/// When nothing has a field of that name.
pub fn choose(value: Value, fields: &[String]) -> Result<Value, Failure> {
    match value {
        Value::Array(items) => {
            for field in fields {
                let has = |item: &Value| item.get(field).is_some();
                if !items.is_empty() && !items.iter().any(has) {
                    return Err(unknown(field, &items[0]));
                }
            }
            Ok(Value::Array(items.into_iter().map(|item| chosen(item, fields)).collect()))
        }
        other => {
            if let Some(missing) = fields.iter().find(|field| other.get(field).is_none()) {
                return Err(unknown(missing, &other));
            }
            Ok(chosen(other, fields))
        }
    }
}

fn chosen(value: Value, fields: &[String]) -> Value {
    let Value::Object(mut all) = value else { return value };
    // A row may leave out a field that others have.
    let mut some: Map<_, _> =
        fields.iter().map(|field| (field.clone(), all.remove(field).unwrap_or(Value::Null))).collect();
    some.sort_keys();
    Value::Object(some)
}

fn unknown(field: &str, like: &Value) -> Failure {
    let names: Vec<&str> = like.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let failure = Failure::usage(format!("there is no field `{field}`"));
    let near = nearest(field, names.iter().copied(), "");
    let failure = if near.is_empty() { failure } else { failure.hint(near) };
    failure.hint(format!("fields: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::choose;

    #[test]
    fn keeps_the_fields_that_were_named() {
        let fields = ["b".to_owned(), "a".to_owned()];
        let rows = json!([{"a": 1, "b": 2, "c": 3}, {"a": 4}]);
        assert_eq!(choose(rows, &fields).expect("known"), json!([{"b": 2, "a": 1}, {"b": null, "a": 4}]));
        assert_eq!(choose(json!([]), &fields).expect("nothing to be wrong about"), json!([]));
        let failure = choose(json!({"name": 1, "other": 2}), &["nmae".to_owned()]).expect_err("unknown");
        assert_eq!(failure.hints, ["did you mean `name`?", "fields: name, other"]);
    }
}
