//! The command line that prints what the screen shows: what is seen can be scripted.

use crate::tui::state::State;
use crate::tui::state::ui::{Page, Pane};

impl State {
    /// The `tyrctl` command for the topmost page or the focused list.
    pub fn command(&self) -> String {
        let context =
            if self.context == "default" { String::new() } else { format!(" --context {}", quote(&self.context)) };
        let verdicts = if self.hides_allowed() { " --verdict deny,alert" } else { "" };
        let rest = match self.pages.last() {
            Some(Page::Agent(page)) => {
                let name = self
                    .data()
                    .fleet
                    .get(page.agent)
                    .map_or_else(|| page.agent.to_string(), |agent| agent.name.clone());
                let name = quote(&name);
                match page.focus {
                    Pane::PageAi => format!("ai --agent {name} --all"),
                    Pane::PageDrift => format!("drift --since 1d --events --agent {name}"),
                    _ => format!("events list --agent {name}{verdicts}"),
                }
            }
            Some(Page::Event(page)) => {
                let event = &page.event;
                format!(
                    "events list --agent {} --kind {} --verdict {} -o json",
                    quote(&event.agent_name),
                    event.kind,
                    event.verdict
                )
            }
            None => match self.focus {
                Pane::Agents => "agents".to_owned(),
                Pane::Drift => "drift --since 1d --events".to_owned(),
                Pane::DriftTree => "drift --since 1d".to_owned(),
                Pane::Alerts => "alerts".to_owned(),
                _ => format!("events tail{verdicts}"),
            },
        };
        format!("tyrctl{context} {rest}")
    }
}

/// A word for the shell.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("build-017"), "build-017");
        assert_eq!(quote("a b'; rm -rf ~"), r"'a b'\''; rm -rf ~'");
        assert_eq!(quote(""), "''");
    }
}
