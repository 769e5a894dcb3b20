use proptest::prelude::{any, proptest};

use super::{Field, Filter, Row, Value};

struct Exec;

impl Row for Exec {
    fn field(&self, field: Field) -> Option<Value<'_>> {
        match field {
            Field::Kind => Some(Value::Text("exec".into())),
            Field::Resource => Some(Value::Text("/usr/bin/Sudo".into())),
            Field::Policy => Some(Value::Number(41)),
            Field::Age => Some(Value::Number(95)),
            Field::Rule => Some(Value::Nothing),
            Field::Kernel => Some(Value::Text("6.1.0-26".into())),
            _ => None,
        }
    }

    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
        ["exec", "/usr/bin/Sudo"].into_iter().any(predicate)
    }
}

#[test]
fn wants_what_it_says() {
    for (text, wanted) in [
        ("", true),
        ("sudo", true),
        ("SUDO exec", true),
        ("sudo nothing", false),
        ("sudo or nothing", true),
        ("not sudo", false),
        ("!nothing", true),
        ("kind=exec", true),
        ("kind!=exec,file_read", false),
        ("kind=file_read,exec", true),
        ("resource:bin", true),
        ("resource:/usr/*do", true),
        ("resource:*bin", false),
        ("resource='/usr/bin/sudo'", true),
        ("policy=v41", true),
        ("policy<41", false),
        ("age>90s and age<2m", true),
        ("age>=1h", false),
        ("kernel<6.12", true),
        ("kernel>6.0", true),
        ("rule=x", false),
        ("rule!=x", true),
        ("(kind=exec | kind=file_read) & !(policy>41)", true),
        // Says nothing about this kind of row, so it doesn't hide it; beside something that does, that decides.
        ("lost>3", true),
        ("not lost>3", true),
        ("lost>3 nothing", false),
        ("'or'", false),
        ("resource~^/usr/.*DO$", true),
        ("resource!~sudo", false),
        ("resource~nothing,bin", true),
        ("since 2m", true),
        ("since 1m", false),
        ("since", false),
    ] {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.wants(&Exec), wanted, "{text}");
    }
}

#[test]
fn errors_say_where_and_what() {
    for (text, at, message) in [
        ("kind=exec knid=x", 10, "unknown field knid; did you mean kind?"),
        ("(a or b", 0, "this bracket is not closed"),
        ("a )", 2, "a bracket is closed that was not opened"),
        ("a or", 4, "something is missing here"),
        ("or a", 0, "a word or a term is missing before this"),
        ("policy=new", 7, "`new` is no policy version, as 41 or v41"),
        ("age>soon", 4, "`soon` is no age, as 90s 5m 2h 1d"),
        ("kind=", 5, "a value is missing after `kind`"),
        ("=x", 0, "`=` needs a field before it, as in kind=exec"),
        ("'abc", 0, "the quote ' is not closed"),
        ("resource~'('", 9, "`(` is no regular expression: unclosed group"),
        ("age~5", 4, "age is a number: = != < <= > >= compare it"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((error.at, error.message.as_str()), (at, message), "{text}");
    }
    assert!(Filter::parse(&"(".repeat(1_000)).is_err());
    assert!(Filter::parse(&"x".repeat(2_000)).is_err());
}

proptest! {
    #[test]
    fn takes_any_text(text in any::<String>()) {
        if let Ok(filter) = Filter::parse(&text) {
            filter.wants(&Exec);
        }
    }

    #[test]
    fn takes_any_text_made_of_its_own_signs(text in "[a( )|&!:=<>,'\"*?kind]{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            filter.wants(&Exec);
        }
    }
}

mod properties {
    use proptest::collection::vec;
    use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof, proptest};
    use proptest::sample::select;
    use regex::Regex;

    use super::super::{Field, Filter, Node, Op, Row, Type, Value, Wanted};

    /// A row that has some of the fields.
    #[derive(Clone, Debug)]
    struct Some3 {
        resource: Option<String>,
        policy: Option<i64>,
        rule: Option<()>,
        texts: Vec<String>,
    }

    impl Row for Some3 {
        fn field(&self, field: Field) -> Option<Value<'_>> {
            match field {
                Field::Resource => self.resource.as_deref().map(|text| Value::Text(text.into())),
                Field::Policy => self.policy.map(Value::Number),
                Field::Rule => self.rule.map(|()| Value::Nothing),
                _ => None,
            }
        }

        fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
            self.texts.iter().any(|text| predicate(text))
        }
    }

    fn text() -> BoxedStrategy<String> {
        prop_oneof![
            "[abAB*?./0-9]{1,4}",
            "[ab'(),=!~ |&]{1,5}",
            select(vec!["and", "or", "not", "since"]).prop_map(str::to_owned)
        ]
        // The language has no escapes: what holds both kinds of quotes can't be typed where quotes are needed.
        .prop_filter("can be typed", |text| !(text.contains('\'') && text.contains('"')))
        .boxed()
    }

    fn term() -> impl Strategy<Value = Node> {
        let ops = vec![
            Op::Contains,
            Op::Equal,
            Op::NotEqual,
            Op::Less,
            Op::LessOrEqual,
            Op::Greater,
            Op::GreaterOrEqual,
            Op::Matches,
            Op::MatchesNot,
        ];
        let fields: Vec<Field> = Field::ALL.iter().map(|(_, field, _)| *field).collect();
        (select(fields), select(ops), vec((text(), any::<i32>()), 1..3)).prop_map(|(field, op, values)| {
            let pattern = matches!(op, Op::Matches | Op::MatchesNot);
            let op = if pattern && field.kind() != Type::Text { Op::Equal } else { op };
            let values = values.into_iter().map(|(text, number)| match field.kind() {
                Type::Text if pattern => {
                    let built = regex::RegexBuilder::new(&text).case_insensitive(true).build();
                    Wanted::Pattern(built.unwrap_or_else(|_| Regex::new("x").unwrap()))
                }
                Type::Text => Wanted::Text(text),
                _ => Wanted::Number(number.into()),
            });
            Node::Term { field, op, values: values.collect() }
        })
    }

    fn tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![prop_oneof![text(), Just(String::new())].prop_map(Node::Word), term()];
        leaf.prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(Node::Or),
                vec(inner.clone(), 2..4).prop_map(Node::And),
                inner.prop_map(|node| Node::Not(Box::new(node))),
            ]
        })
    }

    fn row() -> impl Strategy<Value = Some3> {
        let texts = "[abAB*?./0-9 ]{0,6}";
        let policy = proptest::option::of(-3_i64..3);
        (proptest::option::of(texts), policy, proptest::option::of(Just(())), vec(texts, 0..3))
            .prop_map(|(resource, policy, rule, texts)| Some3 { resource, policy, rule, texts })
    }

    /// The same in the plainest words: -1 no, 0 unknown, 1 yes.
    fn naive(node: &Node, row: &Some3) -> i8 {
        let yes = |holds: bool| if holds { 1 } else { -1 };
        let lower = |text: &str| text.to_ascii_lowercase();
        match node {
            Node::Or(nodes) => nodes.iter().map(|node| naive(node, row)).max().unwrap(),
            Node::And(nodes) => nodes.iter().map(|node| naive(node, row)).min().unwrap(),
            Node::Not(node) => -naive(node, row),
            Node::Word(word) => yes(row.texts.iter().any(|text| lower(text).contains(&lower(word)))),
            Node::Term { field, op, values } => {
                let Some(have) = row.field(*field) else { return 0 };
                let mut any = false;
                for wanted in values {
                    any |= match (&have, wanted) {
                        (Value::Text(have), Wanted::Text(wanted)) => {
                            let order = super::super::version_order(have, wanted);
                            match op {
                                Op::Contains if wanted.contains(['*', '?']) => {
                                    let pattern: String = lower(wanted)
                                        .chars()
                                        .map(|c| match c {
                                            '*' => "(?s:.*)".to_owned(),
                                            '?' => "(?s:.)".to_owned(),
                                            c => regex::escape(&c.to_string()),
                                        })
                                        .collect();
                                    Regex::new(&format!("^{pattern}$")).unwrap().is_match(&lower(have))
                                }
                                Op::Contains => lower(have).contains(&lower(wanted)),
                                Op::Equal | Op::NotEqual => lower(have) == lower(wanted),
                                Op::Less => order.is_lt(),
                                Op::LessOrEqual => !order.is_gt(),
                                Op::Greater => order.is_gt(),
                                Op::GreaterOrEqual => !order.is_lt(),
                                Op::Matches | Op::MatchesNot => unreachable!("has patterns"),
                            }
                        }
                        (Value::Text(have), Wanted::Pattern(wanted)) => wanted.is_match(have),
                        (Value::Number(have), Wanted::Number(wanted)) => match op {
                            Op::Less => have < wanted,
                            Op::LessOrEqual => have <= wanted,
                            Op::Greater => have > wanted,
                            Op::GreaterOrEqual => have >= wanted,
                            _ => have == wanted,
                        },
                        _ => false,
                    };
                }
                yes(any != matches!(op, Op::NotEqual | Op::MatchesNot))
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same(root in tree()) {
            let filter = Filter { text: String::new(), root: Some(root) };
            let printed = filter.to_string();
            match Filter::parse(&printed) {
                Ok(read) => assert_eq!(read.root, filter.root, "{printed}"),
                // Nesting counts brackets too, so that printing can take a tree over the limit.
                Err(error) => assert!(error.message.contains("nested deeper") || printed.len() > 1_024, "{printed}: {error}"),
            }
        }

        #[test]
        fn decides_as_the_plain_evaluator_does(root in tree(), row in row()) {
            let expected = naive(&root, &row);
            let filter = Filter { text: String::new(), root: Some(root) };
            assert_eq!(filter.wants(&row), expected >= 0, "{filter}");
        }
    }
}

/// Found by the property: the sign and the value grew together.
#[test]
fn a_value_that_begins_with_a_sign_is_printed_apart() {
    for text in ["agent<'=x'", "agent>'='", "agent==x", "agent:=x", "agent~'=|x'"] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(Filter::parse(&filter.to_string()).unwrap().root, filter.root, "{text} became {filter}");
    }
}

#[test]
fn completes_fields_and_values() {
    let known = |field| match field {
        Field::Agent => vec!["build-017".to_owned(), "build 18".to_owned(), "docs".to_owned()],
        _ => Vec::new(),
    };
    let words = |text: &str| {
        let (start, offers) = super::complete(text, &known);
        (start, offers.into_iter().map(|offer| offer.word).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(words("ki"), (0, "kind=".to_owned()));
    assert_eq!(words("kind=exec ver"), (10, "verdict=".to_owned()));
    assert_eq!(words("kind=exec,net"), (10, "net_connect".to_owned()));
    assert_eq!(words("!(verdict!=a"), (11, "allow alert".to_owned()));
    assert_eq!(words("!st"), (1, "state=".to_owned()));
    assert_eq!(words("agent=bu"), (6, "build-017 'build 18'".to_owned()));
    assert_eq!(words("agent='bu"), (6, "build-017 'build 18'".to_owned()));
    assert_eq!(words("knid=x"), (6, String::new()));
    assert_eq!(words("o"), (0, "or ".to_owned()));
    assert_eq!(words("rüle:x s"), (7, "state= server= severity= since ".to_owned()));
}
