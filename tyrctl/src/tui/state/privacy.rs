//! Names and paths hidden, for a picture of the screen that may be shown to others.

use std::borrow::Cow;

use uuid::Uuid;

use crate::tui::state::State;

impl State {
    /// A host's name as it may be shown.
    pub fn name_of<'t>(&self, id: Uuid, name: &'t str) -> Cow<'t, str> {
        if self.privacy {
            // Ids are random at their end; rows of one host stay recognisable as such.
            let id = id.simple().to_string();
            Cow::Owned(format!("host-{}", &id[id.len() - 6..]))
        } else {
            Cow::Borrowed(name)
        }
    }

    /// A path, an address, a command line as it may be shown: its shape alone.
    pub fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.privacy { Cow::Owned(shape(text)) } else { Cow::Borrowed(text) }
    }
}

/// Letters as `x`, digits as `0`; what stands between them stays.
fn shape(text: &str) -> String {
    let hide = |c: char| match c {
        c if c.is_ascii_digit() => '0',
        c if c.is_ascii() && !c.is_ascii_alphabetic() => c,
        _ => 'x',
    };
    text.chars().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn only_the_shape_is_left() {
        assert_eq!(shape("/home/zoë/.env"), "/xxxx/xxx/.xxx");
        assert_eq!(shape("203.0.113.9:443"), "000.0.000.0:000");
    }
}
