//! Patterns over server names: `*.example.com|example.org`.

/// A pattern over TLS server names.
///
/// `|` separates alternatives, `*` stands for any characters, dots included; case and a trailing dot don't matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    alternatives: Vec<String>,
}

/// Why a text is no pattern over server names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamePatternError {
    /// Nothing between two `|`, or nothing at all.
    #[error("an alternative of the server name pattern is empty")]
    Empty,
    /// Too long to be kept.
    #[error("a server name pattern of {bytes} bytes is longer than 512")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A character that no server name has.
    #[error("`{character}` can't be in a server name")]
    BadCharacter {
        /// That character.
        character: char,
    },
}

impl NamePattern {
    /// The pattern that every name matches.
    pub fn any() -> Self {
        Self { text: "*".to_owned(), alternatives: vec!["*".to_owned()] }
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// An empty alternative, a character that no server name has, more than 512 bytes.
    pub fn parse(text: &str) -> Result<Self, NamePatternError> {
        if text.len() > 512 {
            return Err(NamePatternError::TooLong { bytes: text.len() });
        }
        let mut alternatives = Vec::new();
        for alternative in text.split('|').map(str::trim) {
            let alternative = alternative.strip_suffix('.').unwrap_or(alternative);
            if alternative.is_empty() {
                return Err(NamePatternError::Empty);
            }
            if let Some(character) = alternative.chars().find(|&c| !(c.is_ascii_alphanumeric() || "*.-_".contains(c))) {
                return Err(NamePatternError::BadCharacter { character });
            }
            alternatives.push(alternative.to_ascii_lowercase());
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does every name match?
    pub fn is_any(&self) -> bool {
        self.alternatives.iter().any(|a| a.bytes().all(|b| b == b'*'))
    }

    /// Does this name match?
    pub fn matches(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self.alternatives.iter().any(|alternative| wildcard(alternative.as_bytes(), name.as_bytes()))
    }
}

/// `*` stands for any bytes. Goes back to the last star only, so the time is at most the product of the lengths.
fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((star, eaten)) = retry {
            retry = Some((star, eaten + 1));
            p = star + 1;
            n = eaten + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::{NamePattern, NamePatternError};

    #[test]
    fn stars_and_alternatives() {
        let pattern = NamePattern::parse("*.openai.com|Anthropic.com").unwrap();
        for name in ["api.openai.com", "a.b.openai.com", "API.OPENAI.COM", "anthropic.com."] {
            assert!(pattern.matches(name), "{name}");
        }
        for name in ["openai.com", "api.openai.com.evil.org", "api.anthropic.com", ""] {
            assert!(!pattern.matches(name), "{name}");
        }
        assert!(NamePattern::any().matches("") && NamePattern::parse("x|**").unwrap().is_any());
        assert!(NamePattern::parse("a*b*c").unwrap().matches("abxbc"));
    }

    #[test]
    fn refuses_what_no_name_matches() {
        assert_eq!(NamePattern::parse("a||b"), Err(NamePatternError::Empty));
        assert_eq!(NamePattern::parse("a b"), Err(NamePatternError::BadCharacter { character: ' ' }));
        assert_eq!(NamePattern::parse(&"a".repeat(513)), Err(NamePatternError::TooLong { bytes: 513 }));
    }
}
