//! What the next dashboard begins with: view, filter, orders, columns, theme as they were left.
//!
//! One small TOML file per context, `$XDG_STATE_HOME/tyr/top/CONTEXT.toml`, else below `~/.local/state`. Nothing depends on it: what
//! is absent, unreadable, of another version or nonsense is left out, key by key, and where it can't be written nothing is kept.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use toml::Value;

use crate::config;
use crate::error::Failure;
use crate::tui::filter::Filter;
use crate::tui::state::State;
use crate::tui::state::order::{Layout, Order, Table};
use crate::tui::state::ui::View;
use crate::tui::theme::Palette;

/// What was kept. Keys that this version doesn't know are kept on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept(toml::Table);

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
        let mut put = |key: &str, value: Value| drop(self.0.insert(key.to_owned(), value));
        put("view", state.view.name().to_ascii_lowercase().into());
        put("filter", state.filter.text().into());
        put("deny_only", state.deny_only.into());
        put("theme", state.palette.word().into());
        for table in Table::ALL {
            let order = state.layout.order(table);
            let order = (order != table.usual()).then(|| order_word(order).into());
            self.put_of("sort", table, order);
            let columns: Vec<Value> = columns_of(&state.layout, table).collect();
            self.put_of("columns", table, (!columns.is_empty()).then_some(columns.into()));
        }
    }

    /// What is usual has no line of its own: it may be another with the next version.
    fn put_of(&mut self, key: &str, table: Table, value: Option<Value>) {
        let all = self.0.entry(key).or_insert_with(|| toml::Table::new().into());
        if !all.is_table() {
            *all = toml::Table::new().into();
        }
        let Some(all) = all.as_table_mut() else { return };
        match value {
            Some(value) => drop(all.insert(table.word().to_owned(), value)),
            None => drop(all.remove(table.word())),
        }
    }

    fn of(&self, key: &str, table: Table) -> Option<&Value> {
        self.0.get(key)?.get(table.word())
    }

    /// Begins as was left.
    pub fn give(&self, state: &mut State) {
        let text = |key: &str| self.0.get(key).and_then(Value::as_str);
        let flag = |key: &str| self.0.get(key).and_then(Value::as_bool);
        let by_name = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        if let Some(filter) = text("filter").and_then(|text| Filter::parse(text).ok()) {
            state.filter = filter;
        }
        if let Some(palette) = text("theme").and_then(Palette::named) {
            state.palette = palette;
        }
        for table in Table::ALL {
            if let Some(order) = self.of("sort", table).and_then(Value::as_str).and_then(|word| order_of(table, word)) {
                state.layout.set_order(table, order);
            }
            let columns = self.of("columns", table).and_then(Value::as_array).into_iter().flatten();
            for word in columns.filter_map(Value::as_str) {
                show_column(&mut state.layout, table, word);
            }
        }
        state.deny_only = flag("deny_only").unwrap_or(state.deny_only);
        if let Some(view) = text("view").and_then(|name| View::ALL.into_iter().find(|one| by_name(one.name(), name))) {
            state.start_with(view);
        }
    }
}

/// As after `:sort`.
fn order_word(order: Order) -> String {
    format!("{}{}", order.head, if order.reversed { ":desc" } else { "" })
}

fn order_of(table: Table, word: &str) -> Option<Order> {
    let (name, reversed) = word.strip_suffix(":desc").map_or((word, false), |name| (name, true));
    Some(Order { head: table.head(name)?, reversed })
}

/// Columns that are shown (`+`) or not (`-`) other than usual.
fn columns_of(layout: &Layout, table: Table) -> impl Iterator<Item = Value> {
    let toggled = layout.toggled().filter(move |(of, _)| *of == table);
    toggled.map(move |(_, head)| format!("{}{head}", if layout.shows(table, head) { '+' } else { '-' }).into())
}

fn show_column(layout: &mut Layout, table: Table, word: &str) {
    let (wanted, name) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
        (Some(name), _) => (true, name),
        (_, Some(name)) => (false, name),
        _ => return,
    };
    if let Some(head) = table.head(name).filter(|head| table.has_columns() && layout.shows(table, head) != wanted) {
        layout.toggle(table, head);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::Kept;
    use crate::tui::filter::Filter;
    use crate::tui::state::State;
    use crate::tui::state::order::{Order, Table};
    use crate::tui::state::testing::at;
    use crate::tui::state::ui::{Pane, View};
    use crate::tui::theme::{Palette, Theme};

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
        left.palette = Palette::HighContrast;
        left.layout.set_order(Table::Agents, Order { head: "RATE_60S", reversed: true });
        left.layout.set_order(Table::Log, Order { head: "WHAT", reversed: false });
        for (table, head) in [(Table::Agents, "ARCH"), (Table::Agents, "KERNEL"), (Table::Events, "PROGRAM")] {
            left.layout.toggle(table, head);
        }
        let mut kept = Kept("from_a_newer = [1, 2]".parse().unwrap());
        kept.take(&left);
        kept.store(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Kept::load(&file), kept, "with what it doesn't know");
        let mut next = state();
        Kept::load(&file).give(&mut next);
        assert_eq!((next.view, next.focus), (View::Drift, Pane::DriftTree));
        assert_eq!((next.filter.text(), next.palette), (left.filter.text(), Palette::HighContrast));
        assert_eq!(next.layout, left.layout);
        // What is put back is forgotten.
        kept.take(&state());
        let mut usual = state();
        kept.give(&mut usual);
        assert_eq!((usual.layout, usual.palette), (state().layout, Palette::Default));
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
        let nonsense = r#"
            view = "nowhere"
            filter = "knid=x"
            theme = 7
            deny_only = true
            [sort]
            agents = "age:desc"
            events = "AGE:asc"
            alerts = ["RULE"]
            moons = "SIZE"
            [columns]
            agents = ["+arch", "-ARCH", "-KERNEL", "KERNEL", "+NONE", "", "+é", 5]
            log = ["-WHAT"]
            events = "PROGRAM"
        "#;
        std::fs::write(&file, nonsense).unwrap();
        let mut next = state();
        Kept::load(&file).give(&mut next);
        assert_eq!((next.view, next.palette, next.deny_only), (View::Overview, Palette::Default, true));
        let mut wanted = state().layout;
        wanted.set_order(Table::Agents, Order { head: "AGE", reversed: true });
        wanted.toggle(Table::Agents, "KERNEL");
        assert_eq!(next.layout, wanted);
        std::fs::write(&file, "sort = \"age\"\ncolumns = 3").unwrap();
        let mut kept = Kept::load(&file);
        kept.give(&mut next);
        kept.take(&next);
        let mut again = state();
        kept.give(&mut again);
        assert_eq!(again.layout, wanted, "a key of another shape is written anew");
        assert!(next.filter.is_empty());
    }
}
