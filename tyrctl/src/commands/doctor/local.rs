//! What lies on this machine: configuration, modes of files, proxies, names for completion.

use std::os::unix::fs::PermissionsExt;

use reqwest::Url;

use super::Finding;
use crate::app::App;
use crate::{complete, when};

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

/// Names that completion in shells keeps.
pub(super) fn cache(app: &App) -> Finding {
    let Some(folder) = complete::folder() else { return Finding::skip("cache", "there is no place for it") };
    match complete::cached(app) {
        Some(age) => Finding::ok(
            "cache",
            format!("names for completion, fetched {} ago, in {}", when::short(age), folder.display()),
        ),
        None => Finding::skip("cache", format!("no names for completion are kept in {}", folder.display())),
    }
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
