//! `tyrctl completions` and `tyrctl man`: both made from the command line's one definition.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::generate;
use clap_complete::shells;

use super::Outcome;
use crate::app::App;
use crate::args::{Cli, CompletionsArgs, ManArgs, Shell};
use crate::error::Failure;
use crate::manual::PROGRAM;

/// How `docs/cli.md` begins.
const PREFACE: &str = "\
Every command, from the definition that `tyrctl --help` and the man pages come from: this page is generated and compared by a
test. Recipes are in [recipes.md](recipes.md).

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the condition of a `--fail-on-…` flag holds, 4 not logged in or not allowed, 5 server not
reachable. Standard output carries data, standard error the talk; in a pipe nothing is cut and nothing is coloured.";

/// `completions SHELL`.
pub(super) fn completions(app: &App, args: &CompletionsArgs) -> Result<Outcome, Failure> {
    if args.dynamic {
        app.out.text(loader(args.shell))?;
    } else {
        app.out.text(&script(args.shell))?;
    }
    Ok(Outcome::Done)
}

/// What makes a shell ask this program, for its start-up file or for a file of its own in the folder of completions: the script
/// itself comes from the program that is installed, so the two can't differ.
pub fn loader(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "source <(COMPLETE=bash tyrctl)\n",
        // In a file of its own it is read at the first press of tab, which has to be answered at once.
        Shell::Zsh => {
            "#compdef tyrctl\nsource <(COMPLETE=zsh tyrctl)\n\
             [[ ${funcstack[1]} != _tyrctl ]] || _clap_dynamic_completer_tyrctl \"$@\"\n"
        }
        Shell::Fish => "COMPLETE=fish tyrctl | source\n",
    }
}

/// The complete script of a shell.
pub fn script(shell: Shell) -> String {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "tyrctl", &mut bytes),
        Shell::Zsh => generate(shells::Zsh, &mut command, "tyrctl", &mut bytes),
        Shell::Fish => generate(shells::Fish, &mut command, "tyrctl", &mut bytes),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `man [--dir DIR]`.
pub(super) fn man(app: &App, args: &ManArgs) -> Result<Outcome, Failure> {
    let pages = man_pages();
    let Some(dir) = &args.dir else {
        app.out.text(pages.first().map_or("", |(_, page)| page))?;
        return Ok(Outcome::Done);
    };
    let failure = |path: &Path, error: &io::Error| {
        Failure::failed(format!("`{}` could not be written", path.display())).because(error)
    };
    fs::create_dir_all(dir).map_err(|error| failure(dir, &error))?;
    for (name, page) in &pages {
        let file = dir.join(name);
        fs::write(&file, page).map_err(|error| failure(&file, &error))?;
    }
    app.out.note(&format!("{} pages in {}", pages.len(), dir.display()));
    Ok(Outcome::Done)
}

/// All pages with their file names: `tyrctl.1` first, then `tyrctl-policy-apply.1` and so on.
pub fn man_pages() -> Vec<(String, String)> {
    tyr_manual::pages(&PROGRAM, Cli::command())
}

/// The reference of all commands, as in `docs/cli.md`.
pub fn reference() -> String {
    tyr_manual::markdown(Cli::command(), PREFACE)
}
