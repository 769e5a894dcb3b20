use super::{Glob, GlobError};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

fn matches(pattern: &str, path: &str) -> bool {
    Glob::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}")).matches(path.as_bytes())
}

#[test]
fn means_what_the_table_says() {
    for (pattern, yes, no) in [
        ("/etc/*", &["/etc/passwd", "/etc/.x", "/etc/"][..], &["/etc", "/etc/ssh/sshd_config", "/etcx"][..]),
        ("/etc/**", &["/etc/passwd", "/etc/ssh/sshd_config", "/etc/"], &["/etc", "/etcx/y"]),
        ("/x{,/**}", &["/x", "/x/", "/x/y/z"], &["/xy"]),
        ("/home/*/.ssh/**", &["/home/a/.ssh/id", "/home/a/.ssh/b/c"], &["/home/a/b/.ssh/id", "/home/a/.ssh"]),
        ("~/.ssh/**", &["/root/.ssh/id", "/home/a/.ssh/id"], &["/home/.ssh/id", "/home/a/b/.ssh/id", "/roots/.ssh/id"]),
        ("~", &["/root", "/home/a"], &["/home/", "/home/a/"]),
        ("**/.env", &["/.env", "/a/b/.env"], &["/a.env", "/a/.env/b", "/a/.envx"]),
        ("/a/**/b", &["/a/b", "/a/x/b", "/a/x/y/b", "/a//b", "/a/b/b"], &["/ab", "/a/xb", "/b", "/a/b/"]),
        ("/a/**/**/b", &["/a/b", "/a/x/b"], &["/ab"]),
        ("/a/**b", &["/a/b", "/a/xb", "/a/x/yb"], &["/ab"]),
        ("/a/?.rs", &["/a/b.rs"], &["/a/.rs", "/a/bb.rs", "/a//.rs"]),
        ("/[a-c_]", &["/a", "/c", "/_"], &["/d", "//", "/"]),
        ("/[!a-c]", &["/d", "/-"], &["/a", "//"]),
        ("/[^a]", &["/b", "/^"], &["/a"]),
        ("/[]x]", &["/]", "/x"], &["/["]),
        ("/[a-]", &["/a", "/-"], &["/b"]),
        ("/a\\*", &["/a*"], &["/ab", "/a\\*"]),
        ("/{a,b{c,d}}/e", &["/a/e", "/bc/e", "/bd/e"], &["/b/e", "/e"]),
        ("/a,b", &["/a,b"], &["/a"]),
        ("*", &["/a/b", "", "/"], &["/a\0"]),
        ("**", &["/a/b", ""], &["\0"]),
        ("/**", &["/", "/a/b"], &[""]),
        ("/usr/*/*.so*", &["/usr/lib/x.so.1"], &["/usr/lib/a/x.so"]),
        ("*/sh", &["/sh", "a/sh"], &["/bin/sh"]),
    ] {
        for path in yes {
            assert!(matches(pattern, path), "{pattern} should match {path:?}");
        }
        for path in no {
            assert!(!matches(pattern, path), "{pattern} should not match {path:?}");
        }
    }
}

#[test]
fn matches_bytes_that_are_no_text() {
    assert!(Glob::parse("/a/?b").unwrap().matches(b"/a/\xffb"));
    assert!(Glob::parse("/[!x]").unwrap().matches(b"/\xff"));
    assert!(Glob::parse("/ä*").unwrap().matches("/ä\u{80}".as_bytes()));
}

#[test]
fn fields_end_at_nul() {
    let glob = Glob::parse("**/node\0**/cli.js").unwrap();
    assert!(glob.matches(b"/usr/bin/node\0/opt/cli.js"));
    assert!(!glob.matches(b"/usr/bin/node\0x\0/opt/cli.js"));
    assert!(!Glob::parse("/[!a]").unwrap().matches(b"/\0"));
}

#[test]
fn refuses_what_is_no_pattern() {
    let braces = "{a,b}".repeat(7);
    let nested = format!("{}a{}", "{".repeat(9), "}".repeat(9));
    let long = "a".repeat(513);
    for (pattern, error) in [
        ("", GlobError::Empty),
        (&long, GlobError::TooLong { bytes: 513 }),
        ("/a\\", GlobError::TrailingBackslash),
        ("/[ab", GlobError::UnclosedSet { at: 1 }),
        ("/[]", GlobError::UnclosedSet { at: 1 }),
        ("/[a\\", GlobError::UnclosedSet { at: 1 }),
        ("/[ä]", GlobError::SetNotAscii { at: 1 }),
        ("/[b-a]", GlobError::SetReversed { at: 1 }),
        ("/[/]", GlobError::SetEmpty { at: 1 }),
        ("/{a,b", GlobError::UnclosedBrace { at: 1 }),
        ("/a}", GlobError::UnopenedBrace { at: 2 }),
        (&nested, GlobError::TooDeep { at: 8 }),
        (&braces, GlobError::TooManyAlternatives),
        ("~bob/x", GlobError::Home),
    ] {
        assert_eq!(Glob::parse(pattern), Err(error), "{pattern}");
    }
}

#[test]
fn expansion_is_bounded_by_tokens_too() {
    let pattern = format!("{}{}", "{a,b}".repeat(6), "x".repeat(400));
    assert_eq!(Glob::parse(&pattern), Err(GlobError::TooManyAlternatives));
}

#[test]
fn knows_patterns_that_no_path_has() {
    for (pattern, expected) in [
        ("/a", true),
        ("**", true),
        ("*/a", true),
        ("~/a", true),
        ("{/a,/b}", true),
        ("a", false),
        ("{/a,b}", false),
        ("[a]", false),
    ] {
        assert_eq!(Glob::parse(pattern).unwrap().can_match_absolute(), expected, "{pattern}");
    }
}

/// The meaning once more, straight from the text: tries everything. For patterns without braces, sets, `~` and escapes.
fn naive(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'/', b'*', b'*', b'/', rest @ ..] => {
            // One `/`, or `/` anything `/`.
            path.first() == Some(&b'/')
                && (naive(&[b"/", rest].concat()[..], path)
                    || (2..=path.len())
                        .any(|at| path[at - 1] == b'/' && naive(&[b"/", rest].concat()[..], &path[at - 1..])))
        }
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| naive(rest, &path[at..])),
        [b'*', rest @ ..] => {
            (0..=path.len()).take_while(|at| !path[..*at].contains(&b'/')).any(|at| naive(rest, &path[at..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|b| *b != b'/') && naive(rest, &path[1..]),
        [own, rest @ ..] => path.first() == Some(own) && naive(rest, &path[1..]),
    }
}

fn simple_pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just("/"), Just("a"), Just("b"), Just("*"), Just("**"), Just("/**/"), Just("?")];
    proptest::collection::vec(piece, 2..8).prop_map(|pieces| pieces.concat().replace("***", "**"))
}

proptest! {
    #[test]
    fn agrees_with_trying_everything(pattern in simple_pattern(), path in "[/ab]{0,8}") {
        if let Ok(glob) = Glob::parse(&pattern) && !pattern.contains("***") {
            assert_eq!(glob.matches(path.as_bytes()), naive(pattern.as_bytes(), path.as_bytes()), "{pattern} {path}");
        }
    }

    #[test]
    fn takes_any_text_and_any_path(pattern in any::<String>(), path in any::<Vec<u8>>()) {
        if let Ok(glob) = Glob::parse(&pattern) {
            glob.matches(&path);
        }
    }

    #[test]
    fn takes_any_punctuation(pattern in r"[a/*?\[\]{},!^\\~-]{0,40}", path in "[a/]{0,10}") {
        if let Ok(glob) = Glob::parse(&pattern) {
            glob.matches(path.as_bytes());
        }
    }
}
