//! What the next dashboard begins with: view, order, filter as they were left.
//!
//! One small TOML file per context, `$XDG_STATE_HOME/tyr/top/CONTEXT.toml`, else below `~/.local/state`. Nothing depends on it: what
//! is absent, unreadable, of another version or nonsense is left out, key by key, and where it can't be written nothing is kept.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use toml::{Table, Value};

use crate::config;
use crate::error::Failure;
use crate::tui::filter::Filter;
use crate::tui::state::State;
use crate::tui::state::ui::{SortBy, View};

/// What was kept. Keys that this version doesn't know are kept on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept(Table);

/// Where a context's file is; `None` without a home, or for a name that would be a path.
pub fn file_of(context: &str) -> Option<PathBuf> {
    config::check_name(context).ok()?;
    let folder = etcetera::base_strategy::Xdg::new().ok()?.state_dir()?;
    Some(folder.join("tyr/top").join(format!("{context}.toml")))
}

impl Kept {
    /// Reads what is there, which may be nothing.
    pub fn load(file: &Path) -> Self {
        let bytes = config::read_guarded(file, 0).ok().flatten().unwrap_or_default();
        Self(String::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or_default())
    }

    /// Replaces the file whole.
    ///
    /// # Errors
    /// When its folder can't be made or written, as in a read-only home.
    pub fn store(&self, file: &Path) -> Result<(), Failure> {
        config::replace(file, self.0.to_string().as_bytes())
    }

    /// Takes over how a dashboard was left.
    pub fn take(&mut self, state: &State) {
        let Self(table) = self;
        let mut put = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
        put("view", state.view.name().to_ascii_lowercase().into());
        put("filter", state.filter.text().into());
        put("sort", state.sort.name().to_ascii_lowercase().into());
        put("sort_reversed", state.sort_reversed.into());
        put("deny_only", state.deny_only.into());
    }

    /// Begins as was left.
    pub fn give(&self, state: &mut State) {
        let text = |key: &str| self.0.get(key).and_then(Value::as_str);
        let flag = |key: &str| self.0.get(key).and_then(Value::as_bool);
        let by_name = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        if let Some(filter) = text("filter").and_then(|text| Filter::parse(text).ok()) {
            state.filter = filter;
        }
        if let Some(sort) = text("sort").and_then(|name| SortBy::ALL.into_iter().find(|one| by_name(one.name(), name)))
        {
            state.sort = sort;
        }
        state.sort_reversed = flag("sort_reversed").unwrap_or(state.sort_reversed);
        state.deny_only = flag("deny_only").unwrap_or(state.deny_only);
        if let Some(view) = text("view").and_then(|name| View::ALL.into_iter().find(|one| by_name(one.name(), name))) {
            state.start_with(view);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::Kept;
    use crate::tui::filter::Filter;
    use crate::tui::state::State;
    use crate::tui::state::testing::at;
    use crate::tui::state::ui::{Pane, SortBy, View};
    use crate::tui::theme::Theme;

    fn state() -> State {
        State::new("prod", "https://x", Theme { color: false, ascii: false }, at(Instant::now(), 0))
    }

    #[test]
    fn the_next_dashboard_begins_where_the_last_one_was_left() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("deep/tyr/prod.toml");
        assert_eq!(Kept::load(&file), Kept::default());
        let mut left = state();
        left.start_with(View::Drift);
        left.filter = Filter::parse("kind=exec \"a b\"").unwrap();
        left.sort = SortBy::Rate;
        left.sort_reversed = true;
        let mut kept = Kept("from_a_newer = [1, 2]".parse().unwrap());
        kept.take(&left);
        kept.store(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Kept::load(&file), kept, "with what it doesn't know");
        let mut next = state();
        Kept::load(&file).give(&mut next);
        assert_eq!((next.view, next.focus), (View::Drift, Pane::DriftTree));
        assert_eq!((next.filter.text(), next.sort, next.sort_reversed), (left.filter.text(), SortBy::Rate, true));
    }

    #[test]
    fn nonsense_is_left_out_key_by_key() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("x.toml");
        for broken in [&b"\xff\xfe"[..], b"view = ", b"[", b"\0", &vec![b'x'; 2 << 20]] {
            std::fs::write(&file, broken).unwrap();
            assert_eq!(Kept::load(&file), Kept::default());
        }
        assert_eq!(Kept::load(temp.path()), Kept::default(), "a folder is no file");
        std::fs::write(&file, "view = \"nowhere\"\nfilter = \"knid=x\"\nsort_reversed = \"yes\"\nsort = \"age\"")
            .unwrap();
        let mut next = state();
        Kept::load(&file).give(&mut next);
        assert_eq!((next.view, next.sort, next.sort_reversed), (View::Overview, SortBy::Age, false));
        assert!(next.filter.is_empty());
    }
}
