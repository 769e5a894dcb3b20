//! From text to tokens: characters, then braces expanded, then directories.

use super::{ByteSet, GLOB_ALTERNATIVES_MAX, GLOB_BYTES_MAX, GLOB_TOKENS_MAX, Glob, GlobError, Token};

/// Deepest nesting of braces: bounds the recursion.
const BRACE_DEPTH_MAX: usize = 8;

/// A pattern as a tree: tokens, and groups of alternatives.
enum Item {
    Token(Token),
    Group(Vec<Vec<Item>>),
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    sets: Vec<ByteSet>,
}

pub(super) fn glob(text: &str) -> Result<Glob, GlobError> {
    if text.is_empty() {
        return Err(GlobError::Empty);
    }
    if text.len() > GLOB_BYTES_MAX {
        return Err(GlobError::TooLong { bytes: text.len() });
    }
    if text == "*" {
        return Ok(Glob { text: text.to_owned(), alternatives: vec![Box::new([Token::Deep])], sets: Vec::new() });
    }
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, sets: Vec::new() };
    let mut items = Vec::new();
    if text.starts_with('~') {
        if !matches!(parser.bytes.get(1), None | Some(b'/')) {
            return Err(GlobError::Home);
        }
        parser.at = 1;
        let literal = |text: &'static str| text.bytes().map(|b| Item::Token(Token::Byte(b)));
        let homes = literal("/home/").chain([Item::Token(Token::One), Item::Token(Token::Star)]);
        items.push(Item::Group(vec![literal("/root").collect(), homes.collect()]));
    }
    parser.items(&mut items, 0)?;
    if parser.at < parser.bytes.len() {
        return Err(GlobError::UnopenedBrace { at: parser.at });
    }
    let mut alternatives: Vec<Box<[Token]>> = Vec::new();
    for tokens in expand(&items)? {
        let tokens = directories(&tokens).into_boxed_slice();
        // `{a,a}` and the like; the list is short.
        if !alternatives.contains(&tokens) {
            alternatives.push(tokens);
        }
    }
    Ok(Glob { text: text.to_owned(), alternatives, sets: parser.sets })
}

impl Parser<'_> {
    /// Reads up to the end, or inside a group (`depth` > 0) up to its `,` or `}`, which stays.
    fn items(&mut self, items: &mut Vec<Item>, depth: usize) -> Result<(), GlobError> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let token = match byte {
                b'}' => return Ok(()),
                b',' if depth > 0 => return Ok(()),
                b'{' => {
                    items.push(self.group(depth + 1)?);
                    continue;
                }
                b'[' => {
                    items.push(Item::Token(self.set()?));
                    continue;
                }
                b'*' => {
                    let stars = self.bytes[self.at..].iter().take_while(|b| **b == b'*').count();
                    self.at += stars - 1;
                    if stars > 1 { Token::Deep } else { Token::Star }
                }
                b'?' => Token::One,
                b'\\' => {
                    self.at += 1;
                    Token::Byte(*self.bytes.get(self.at).ok_or(GlobError::TrailingBackslash)?)
                }
                byte => Token::Byte(byte),
            };
            self.at += 1;
            items.push(Item::Token(token));
        }
        Ok(())
    }

    fn group(&mut self, depth: usize) -> Result<Item, GlobError> {
        let open = self.at;
        if depth > BRACE_DEPTH_MAX {
            return Err(GlobError::TooDeep { at: open });
        }
        let mut branches = Vec::new();
        loop {
            self.at += 1;
            let mut branch = Vec::new();
            self.items(&mut branch, depth)?;
            branches.push(branch);
            match self.bytes.get(self.at) {
                Some(b',') => {}
                Some(_) => break,
                None => return Err(GlobError::UnclosedBrace { at: open }),
            }
        }
        self.at += 1;
        Ok(Item::Group(branches))
    }

    /// `[…]`. A `]` right at the start, and a `-` at either end, stand for themselves.
    fn set(&mut self) -> Result<Token, GlobError> {
        let open = self.at;
        let unclosed = GlobError::UnclosedSet { at: open };
        let mut set = ByteSet::default();
        self.at += 1;
        let negated = matches!(self.bytes.get(self.at), Some(b'!' | b'^'));
        self.at += usize::from(negated);
        let first = self.at;
        loop {
            let Some(&byte) = self.bytes.get(self.at) else { return Err(unclosed) };
            if byte == b']' && self.at > first {
                break;
            }
            let low = self.set_byte(open)?;
            let high = match self.bytes.get(self.at..) {
                Some([b'-', end, ..]) if *end != b']' => {
                    self.at += 1;
                    self.set_byte(open)?
                }
                _ => low,
            };
            if low > high {
                return Err(GlobError::SetReversed { at: open });
            }
            (low..=high).for_each(|b| set.insert(b));
        }
        self.at += 1;
        if negated {
            set = set.complement();
        }
        set.remove(b'/');
        set.remove(0);
        if set == ByteSet::default() {
            return Err(GlobError::SetEmpty { at: open });
        }
        let known = self.sets.iter().position(|own| *own == set);
        let index = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        Ok(Token::Set(u16::try_from(index).expect("a pattern has at most 512 bytes")))
    }

    fn set_byte(&mut self, open: usize) -> Result<u8, GlobError> {
        let unclosed = GlobError::UnclosedSet { at: open };
        if self.bytes.get(self.at) == Some(&b'\\') {
            self.at += 1;
        }
        let byte = *self.bytes.get(self.at).ok_or(unclosed)?;
        if !byte.is_ascii() {
            return Err(GlobError::SetNotAscii { at: open });
        }
        self.at += 1;
        Ok(byte)
    }
}

/// All combinations of the branches of all groups.
fn expand(items: &[Item]) -> Result<Vec<Vec<Token>>, GlobError> {
    let mut all = vec![Vec::new()];
    for item in items {
        match item {
            Item::Token(token) => all.iter_mut().for_each(|tokens| tokens.push(*token)),
            Item::Group(branches) => {
                let mut tails = Vec::new();
                for branch in branches {
                    tails.extend(expand(branch)?);
                    if tails.len() > GLOB_ALTERNATIVES_MAX {
                        return Err(GlobError::TooManyAlternatives);
                    }
                }
                if all.len() * tails.len() > GLOB_ALTERNATIVES_MAX {
                    return Err(GlobError::TooManyAlternatives);
                }
                let joined =
                    |head: &Vec<Token>| tails.iter().map(|tail| [&head[..], tail].concat()).collect::<Vec<_>>();
                all = all.iter().flat_map(joined).collect();
            }
        }
        if all.iter().map(Vec::len).sum::<usize>() > GLOB_TOKENS_MAX {
            return Err(GlobError::TooManyAlternatives);
        }
    }
    Ok(all)
}

/// Lets `/**/` stand for a single `/` too, and merges stars that stand side by side.
fn directories(tokens: &[Token]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len() + 4);
    for (at, &token) in tokens.iter().enumerate() {
        match (token, out.last()) {
            (Token::Star | Token::Deep, Some(Token::Deep)) | (Token::Star, Some(Token::Star)) => continue,
            (Token::Deep, Some(Token::Star)) => {
                out.pop();
            }
            (Token::Deep, Some(Token::Byte(b'/'))) if tokens.get(at + 1) == Some(&Token::Byte(b'/')) => {
                out.push(Token::MaybeDirs);
            }
            _ => {}
        }
        out.push(token);
    }
    out
}
