//! What the man pages of `tyrctl` say beyond its command line.

use tyr_manual::Program;

/// The pages are in section 1.
pub const PROGRAM: Program = Program {
    section: "1",
    version: env!("CARGO_PKG_VERSION"),
    files: &[
        (
            "$XDG_CONFIG_HOME/tyr/config.toml",
            "The contexts: servers, CA files and user names. Default: below `~/.config`.",
        ),
        ("$XDG_CONFIG_HOME/tyr/token", "The access token of the default context, mode 0600; `tyrctl login` writes it."),
        ("$XDG_CONFIG_HOME/tyr/tokens/NAME", "The access tokens of the other contexts."),
        (
            "$XDG_CACHE_HOME/tyr/names/",
            "Names for the completion in shells, kept for a minute and used when the server is away; `tyrctl logout` removes them. \
             Default: below `~/.cache`.",
        ),
    ],
    environment: &[
        ("TYR_TOKEN", "Access token; goes before what `tyrctl login` stored."),
        ("XDG_CONFIG_HOME", "Where the configuration is; see FILES."),
        ("XDG_CACHE_HOME", "Where names for the completion are kept; see FILES."),
        ("NO_COLOR", "No colours when it is set and not empty."),
        ("CLICOLOR_FORCE", "Colours also in a pipe when it is set and not empty."),
        ("TERM", "No colours when it is `dumb`."),
    ],
    exit_status: &[
        ("0", "Done."),
        ("1", "Failed."),
        ("2", "Wrong usage."),
        ("3", "The condition of `--fail-on-any` or `--fail-on-none` holds."),
        ("4", "Not logged in, or not allowed."),
        ("5", "The server can't be reached."),
    ],
    see_also: &["tyr-server(8)", "tyrd(8)"],
};
