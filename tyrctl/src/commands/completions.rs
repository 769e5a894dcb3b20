//! `tyrctl completions` and `tyrctl man`: both made from the command line's one definition.

use std::fs;
use std::io;

use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_complete::shells;
use clap_mangen::Man;

use super::Outcome;
use crate::app::App;
use crate::args::{Cli, CompletionsArgs, ManArgs, Shell};
use crate::error::Failure;

/// `completions SHELL`.
pub(super) fn completions(app: &App, args: &CompletionsArgs) -> Result<Outcome, Failure> {
    if args.dynamic {
        app.out.text(match args.shell {
            Shell::Bash => "source <(COMPLETE=bash tyrctl)\n",
            Shell::Zsh => "source <(COMPLETE=zsh tyrctl)\n",
            Shell::Fish => "COMPLETE=fish tyrctl | source\n",
        })?;
    } else {
        app.out.text(&script(args.shell))?;
    }
    Ok(Outcome::Done)
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
    let pages = man_pages().map_err(|error| Failure::failed("the man pages could not be made").because(&error))?;
    let Some(dir) = &args.dir else {
        app.out.text(pages.first().map_or("", |(_, page)| page))?;
        return Ok(Outcome::Done);
    };
    let failure = |path: &std::path::Path, error: &io::Error| {
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
///
/// # Errors
/// Never, as memory takes them; the renderer's signature asks for it.
pub fn man_pages() -> io::Result<Vec<(String, String)>> {
    let mut root = Cli::command();
    root.build();
    let mut pages = Vec::new();
    collect(&root, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut bytes = Vec::new();
    Man::new(command.clone().name(&name)).render(&mut bytes)?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&bytes).into_owned()));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        collect(sub, pages)?;
    }
    Ok(())
}
