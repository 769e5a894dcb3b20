//! An expression of jq: read, and evaluated without any bound.

use std::io;
use std::ops::Range;

use jaq_core::compile::Undefined;
use jaq_core::load::{Arena, Error as LoadError, File, Loader, span};
use jaq_core::{Compiler, Ctx, Native, Vars, data};
use jaq_json::{Num, Val};
use serde_json::{Map, Number, Value};

use crate::error::Failure;
use crate::output::underlined;

/// Longest expression, in bytes: it is read and evaluated by recursion, two bytes being enough for a step down.
const EXPRESSION_BYTES_MAX: usize = 1024;
/// Deepest nesting of brackets in an expression.
const DEPTH_MAX: usize = 128;
/// Deepest nesting of arrays and objects in a result: less than what is read back.
const RESULT_DEPTH_MAX: usize = 120;

/// An expression that was understood.
pub(super) struct Expression {
    filter: jaq_core::compile::Filter<Native<data::JustLut<Val>>>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none, with the place that is wrong.
    pub(super) fn new(code: &str) -> Result<Self, Failure> {
        let failure = |what: String, wrong: Range<usize>| {
            Failure::usage("the jq expression could not be read").cause(underlined(code, wrong, &what))
        };
        if code.len() > EXPRESSION_BYTES_MAX {
            return Err(Failure::usage("the jq expression could not be read")
                .cause(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes")));
        }
        // The parser goes down with each bracket and each sign before a term, and the stack has an end.
        let (mut depth, mut signs) = (0_usize, 0_usize);
        for (at, byte) in code.bytes().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            signs = match byte {
                b'-' => signs + 1,
                byte if byte.is_ascii_whitespace() => signs,
                _ => 0,
            };
            if depth + signs > DEPTH_MAX {
                return Err(failure(format!("nested deeper than {DEPTH_MAX}"), at..at + 1));
            }
        }
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions).load(&arena, File { code, path: () }).map_err(|errors| {
            let (what, wrong) = errors.into_iter().next().map_or((String::new(), 0..0), |(file, error)| match error {
                LoadError::Io(errors) => match errors.into_iter().next() {
                    Some((part, what)) => (what, span(file.code, part)),
                    None => (String::new(), 0..0),
                },
                LoadError::Lex(errors) => match errors.into_iter().next() {
                    Some((expected, found)) => {
                        let wrong = span(file.code, found);
                        // The rest of the text is not wrong, only what stands first in it.
                        let first = found.chars().next().map_or(0, char::len_utf8);
                        (format!("expected {}", expected.as_str()), wrong.start..wrong.start + first)
                    }
                    None => (String::new(), 0..0),
                },
                LoadError::Parse(errors) => match errors.into_iter().next() {
                    Some((expected, found)) => (format!("expected {}", expected.as_str()), span(file.code, found)),
                    None => (String::new(), 0..0),
                },
            });
            failure(what, wrong)
        })?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let first = errors.into_iter().find_map(|(file, errors)| {
                errors.into_iter().next().map(|(name, undefined)| (span(file.code, name), name, undefined))
            });
            match first {
                Some((wrong, name, undefined)) => {
                    let arguments = match &undefined {
                        Undefined::Filter(n) if *n > 0 => format!(" with {n} arguments"),
                        _ => String::new(),
                    };
                    failure(format!("there is no {} `{name}`{arguments}", undefined.as_str()), wrong)
                }
                None => failure(String::new(), 0..0),
            }
        })?;
        Ok(Self { filter })
    }

    /// All results for one input, which is JSON, given one by one; the inner error is what the expression raises, or that
    /// something has no form in JSON.
    ///
    /// # Errors
    /// What `take` says.
    pub(super) fn run(
        &self,
        input: &[u8],
        mut take: impl FnMut(Value) -> io::Result<()>,
    ) -> io::Result<Result<(), String>> {
        let input = match jaq_json::read::parse_single(input) {
            Ok(input) => input,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        for result in self.filter.id.run((context, input)) {
            match result {
                Ok(value) => match json(&value, 0) {
                    Ok(value) => take(value)?,
                    Err(cause) => return Ok(Err(cause.to_owned())),
                },
                Err(exception) => match exception.get_err() {
                    Ok(error) => return Ok(Err(error.to_string())),
                    // `halt`: that was all.
                    Err(_) => return Ok(Ok(())),
                },
            }
        }
        Ok(Ok(()))
    }
}

fn json(value: &Val, depth: usize) -> Result<Value, &'static str> {
    if depth > RESULT_DEPTH_MAX {
        return Err("the result is nested too deep");
    }
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(is) => Value::Bool(*is),
        Val::Num(Num::Int(n)) => Value::from(*n as i64),
        Val::Num(Num::Float(n)) => Number::from_f64(*n).map_or(Value::Null, Value::Number),
        // Numbers beyond 64 bits go the way that jq itself takes: the nearest float.
        Val::Num(other) => other.to_string().parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Val::BStr(bytes) | Val::TStr(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        Val::Arr(items) => Value::Array(items.iter().map(|item| json(item, depth + 1)).collect::<Result<_, _>>()?),
        Val::Obj(fields) => {
            let mut map = Map::new();
            for (key, field) in fields.iter() {
                let Value::String(key) = json(key, depth + 1)? else {
                    return Err("a key of the result is no string");
                };
                map.insert(key, json(field, depth + 1)?);
            }
            Value::Object(map)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Expression;

    /// The results, and what was raised.
    fn run(code: &str, input: &Value) -> (Vec<Value>, Result<(), String>) {
        let mut found = Vec::new();
        let input = serde_json::to_vec(input).expect("JSON");
        let done = Expression::new(code).expect(code).run(&input, |value| {
            found.push(value);
            Ok(())
        });
        (found, done.expect("taken"))
    }

    fn results(code: &str, input: &Value) -> Vec<Value> {
        let (found, done) = run(code, input);
        done.expect(code);
        found
    }

    #[test]
    fn gives_what_jq_gives() {
        let input =
            json!([{"name": "a", "n": 3, "f": 1.5, "big": 9_007_199_254_740_993_i64}, {"name": "b", "n": null}]);
        assert_eq!(results(".", &input), std::slice::from_ref(&input));
        assert_eq!(results(".[] | select(.n) | .name", &input), ["a"]);
        assert_eq!(results("map(.n // 0) | add", &input), [3]);
        assert_eq!(results(".[0] | [.f, .big]", &input), [json!([1.5, 9_007_199_254_740_993_i64])]);
        assert_eq!(results("[.[].name] | join(\"+\")", &input), ["a+b"]);
        assert_eq!(results(".[] | {(.name): .n}", &input), [json!({"a": 3}), json!({"b": null})]);
        assert_eq!(results("1, 2, halt, 3", &input), [1, 2]);
        assert_eq!(results("empty", &input), Vec::<Value>::new());
        assert_eq!(results("\"2026-11-22T19:00:00Z\" | fromdate", &input), [1_795_374_000]);
        assert_eq!(results("\"a1b\" | test(\"[0-9]\")", &input), [true]);
    }

    #[test]
    fn errors_mark_the_wrong_place() {
        let wrong = |code: &str| Expression::new(code).err().expect(code).to_string();
        insta::assert_snapshot!(wrong(".[] | nam"), @"
        error: the jq expression could not be read
        cause: there is no filter `nam`
                 .[] | nam
                       ^^^
        ");
        insta::assert_snapshot!(wrong(".[] | select(.x"), @"
        error: the jq expression could not be read
        cause: expected closing parenthesis
                 .[] | select(.x
                                ^
        ");
        insta::assert_snapshot!(wrong(".a ++ 1"), @"
        error: the jq expression could not be read
        cause: expected nothing
                 .a ++ 1
                    ^^
        ");
        insta::assert_snapshot!(wrong("\u{1b}[2J"), @"
        error: the jq expression could not be read
        cause: expected token
                 ␛[2J
                 ^
        ");
    }

    #[test]
    fn no_expression_that_is_taken_is_too_deep_to_be_read() {
        // As much as the main thread has, where it happens; threads of tests have a quarter of it.
        let look = || {
            for wrong in ["(".repeat(200), "[".repeat(4000), ".".repeat(5000), "a".repeat(5000), ".|".repeat(500)] {
                Expression::new(&wrong).err().expect("no expression");
            }
            for wrong in ["try ".repeat(250), "-".repeat(1000), "- ".repeat(500), "if . then ".repeat(100)] {
                Expression::new(&wrong).err().expect("no expression");
            }
            for long in [format!("{}1", ".|".repeat(500)), format!("{}1{}", "[".repeat(100), "]".repeat(100))] {
                assert_eq!(results(&long, &json!(null)).len(), 1);
            }
        };
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(look).expect("a thread");
        thread.join().expect("no panic");
    }

    #[test]
    fn raised_errors_are_failures() {
        run(".[].x | .y", &json!([1])).1.expect_err("1 has no fields");
        assert_eq!(run("1, error(\"no\")", &json!(null)), (vec![json!(1)], Err("\"no\"".to_owned())));
        let deep = |depth: usize| run(&format!("reduce range({depth}) as $i (1; [.])"), &json!(null));
        deep(121).1.expect_err("too deep");
        let (found, _) = deep(120);
        let text = serde_json::to_string(&found[0]).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("read back"), found[0]);
    }
}
