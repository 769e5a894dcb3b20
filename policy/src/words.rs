//! The closed vocabularies of the language.

use std::fmt;
use std::str::FromStr;

/// A word that is not in the vocabulary it was looked up in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`, expected one of {}", expected.join(", "))]
pub struct UnknownWord {
    /// What was looked for, e.g. `verdict`.
    pub what: &'static str,
    /// The word as written.
    pub word: String,
    /// The whole vocabulary.
    pub expected: &'static [&'static str],
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// All words, in the order of [`Self::ALL`].
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it stands in YAML, JSON and SQL.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { what: $what, word: word.to_owned(), expected: Self::WORDS }),
                }
            }
        }
    };
}

words! {
    /// What a process does, and a rule governs.
    Action, "action" {
        /// An open for reading.
        FileRead => "file_read",
        /// An open for writing, or any change of a name or its attributes.
        FileWrite => "file_write",
        /// The start of a program.
        Exec => "exec",
        /// A connection or datagram to an address.
        NetConnect => "net_connect",
        /// A TLS handshake towards a server name.
        TlsConnect => "tls_connect",
    }
}

words! {
    /// What a policy says of an action; ordered by strictness.
    Verdict, "verdict" {
        /// The action proceeds.
        Allow => "allow",
        /// The action proceeds and is reported at once.
        Alert => "alert",
        /// The action fails with EPERM.
        Deny => "deny",
    }
}

words! {
    /// How much an operator should care; has no influence on enforcement.
    Severity, "severity" {
        /// The default.
        Low => "low",
        /// Worth a look.
        Medium => "medium",
        /// Look soon.
        High => "high",
        /// Look now.
        Critical => "critical",
    }
}

words! {
    /// Transport protocol of a connection.
    Protocol, "protocol" {
        /// TCP.
        Tcp => "tcp",
        /// UDP.
        Udp => "udp",
    }
}

words! {
    /// What is done with AI processes of a type that is not registered.
    Unregistered, "unregistered_agents" {
        /// They run under the policy like all others, and are marked where they are listed.
        Audit => "audit",
        /// They run under the strict starter policy, and what the base denies.
        Quarantine => "quarantine",
        /// They don't run: their tool is ended before its first instruction. Whatever runs already may do nothing.
        Deny => "deny",
    }
}

impl Action {
    /// Position in [`Action::ALL`]: a dense index for tables with one entry per action.
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Severity, Verdict};

    #[test]
    fn words_read_back_as_themselves() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        assert_eq!("deny".parse(), Ok(Verdict::Deny));
        assert_eq!(
            "DENY".parse::<Verdict>().unwrap_err().to_string(),
            "unknown verdict `DENY`, expected one of allow, alert, deny"
        );
    }

    #[test]
    fn verdicts_order_by_strictness() {
        assert!(Verdict::Deny > Verdict::Alert && Verdict::Alert > Verdict::Allow);
        assert!(Severity::Critical > Severity::Low);
    }
}
