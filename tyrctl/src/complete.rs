//! What the shell is offered beyond words of the command line itself. Only files are read, never the network: it has to be
//! quick and silent.

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::config::Folder;

/// Names of contexts.
pub fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = Folder::of_user().and_then(|folder| folder.load()).unwrap_or_default();
        config
            .context
            .into_iter()
            .map(|(name, context)| CompletionCandidate::new(name).help(Some(context.server.into())))
            .collect::<Vec<_>>()
    })
}
