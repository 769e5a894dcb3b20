//! What lies on this machine: configuration, modes of files, proxies, terminal.

use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;

use reqwest::Url;

use super::Finding;
use crate::app::App;
use crate::output::screen;
use crate::tui::term;

/// Configuration, its folder, and the context in use.
pub(super) fn configuration(app: &App) -> Vec<Finding> {
    let file = app.folder.config_file();
    let mut findings = vec![match &app.config_failure {
        Some(failure) => Finding::fail("config", failure),
        None if file.is_file() => {
            Finding::ok("config", format!("{}, number of contexts: {}", file.display(), app.config.context.len()))
        }
        None => Finding::ok("config", format!("{} is not there; flags and environment alone", file.display())),
    }];
    findings.push(match app.folder.path().metadata() {
        Err(_) => Finding::skip("folder", format!("{} is not there", app.folder.path().display())),
        Ok(meta) => {
            let mode = meta.permissions().mode() & 0o777;
            let found = format!("{}, mode {mode:04o}", app.folder.path().display());
            if mode & 0o022 == 0 {
                Finding::ok("folder", found)
            } else {
                let hint = format!("others may put files there: chmod 700 '{}'", app.folder.path().display());
                Finding::warn("folder", found, hint)
            }
        }
    });
    findings.push(match app.endpoint() {
        Ok(endpoint) => {
            let read_only = if app.is_read_only() { ", read-only" } else { "" };
            let ca = endpoint
                .ca_file
                .as_ref()
                .map_or("the authorities of the system".to_owned(), |file| file.display().to_string());
            Finding::ok("context", format!("{}: {}{read_only}, trusts {ca}", app.context_name(), endpoint.name()))
        }
        Err(failure) => Finding::fail("context", &failure),
    });
    findings
}

/// Variables that send requests through a proxy, without names and passwords in them.
pub(super) fn proxies() -> Finding {
    const NAMES: [&str; 8] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    let set: Vec<String> = NAMES
        .into_iter()
        .filter_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name, value)))
        .map(|(name, value)| format!("{name}={}", without_credentials(&value)))
        .collect();
    if set.is_empty() { Finding::ok("proxy", "none") } else { Finding::ok("proxy", set.join(", ")) }
}

fn without_credentials(value: &str) -> String {
    match Url::parse(value) {
        Ok(mut url) if url.has_host() => {
            let hidden = url.set_username("").and_then(|()| url.set_password(None));
            if hidden.is_ok() { url.to_string() } else { "[an address]".to_owned() }
        }
        // `user:password@host:port` is an address to some programs.
        _ => value.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}

/// What can be shown.
pub(super) fn terminal(app: &App) -> Finding {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return Finding::skip("terminal", "standard output is none");
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let term = std::env::var("TERM").unwrap_or_default();
    let (columns, rows) = screen::size();
    let color = match (app.color, set("NO_COLOR")) {
        (true, _) => "colours",
        (false, true) => "no colours (NO_COLOR)",
        (false, false) => "no colours",
    };
    let utf8 = term::locale_is_utf8();
    let mut found = vec![format!("{columns}x{rows}"), format!("TERM={term}"), color.to_owned()];
    found.push(if utf8 { "UTF-8" } else { "no UTF-8: ASCII alone is shown" }.to_owned());
    found.extend(
        [("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "ssh")]
            .into_iter()
            .filter(|(name, _)| set(name))
            .map(|(_, word)| word.to_owned()),
    );
    let found = found.join(", ");
    if term.is_empty() || term == "dumb" {
        return Finding::warn(
            "terminal",
            found,
            "`tyrctl top` needs a TERM that can move the cursor; `tyrctl top --once` needs none",
        );
    }
    if !utf8 {
        return Finding::warn("terminal", found, "set LANG to a UTF-8 locale, e.g. C.UTF-8");
    }
    if set("TMUX") {
        return Finding {
            hints: vec!["copying from `tyrctl top` needs `set -g set-clipboard on` in tmux".to_owned()],
            ..Finding::ok("terminal", found)
        };
    }
    Finding::ok("terminal", found)
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        for (value, shown) in [
            ("http://alice:hunter2@proxy.example:3128", "http://proxy.example:3128/"),
            ("alice:hunter2@proxy.example:3128", "proxy.example:3128"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("socks5://a:b@[::1]:1080", "socks5://[::1]:1080"),
            ("localhost,.example.com", "localhost,.example.com"),
        ] {
            assert_eq!(without_credentials(value), shown);
        }
    }
}
