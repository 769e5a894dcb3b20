//! The network rules of an effective policy, for all profiles: what the kernel's maps are filled with.

use super::table::{NetTable, NetTableError};
use crate::eval::Effective;
use crate::profile::{Profiles, ProfilesError};
use crate::words::Action;

/// Most prefixes of all tables together. The kernel holds two policies' worth while one takes the other's place.
pub const NET_LISTS_MAX: usize = 100_000;
/// Most words of the automaton over the `binaries` of network rules.
pub const NET_PROGRAM_WORDS_MAX: usize = 1 << 16;

/// One table per profile that network rules tell apart.
#[derive(Clone, Debug)]
pub struct NetTables {
    profiles: Profiles,
    tables: Vec<NetTable>,
}

/// The network rules are more than the kernel's tables hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetTablesError {
    /// Too many profiles, or too much in `binaries`.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// Too much in one table.
    #[error(transparent)]
    Table(#[from] NetTableError),
    /// More than [`NET_PROGRAM_WORDS_MAX`].
    #[error("the `binaries` of the network rules need {words} table entries, at most {NET_PROGRAM_WORDS_MAX} fit")]
    ProgramWords {
        /// How many.
        words: usize,
    },
    /// More than [`NET_LISTS_MAX`].
    #[error(
        "the blocks of addresses, each counted once for every different set of rules, are more than {NET_LISTS_MAX}"
    )]
    TooManyLists,
}

impl NetTables {
    /// Lowers the `net_connect` rules.
    ///
    /// # Errors
    /// More than the kernel's tables hold.
    pub fn new(effective: &Effective) -> Result<Self, NetTablesError> {
        let profiles = Profiles::new(effective, &[Action::NetConnect])?;
        let words = profiles.programs().table().len();
        if words > NET_PROGRAM_WORDS_MAX {
            return Err(NetTablesError::ProgramWords { words });
        }
        let mut tables = Vec::with_capacity(profiles.profiles().len());
        let mut lists = 0;
        for profile in profiles.profiles() {
            let table = effective.network(profile)?;
            lists += table.prefixes.len();
            if lists > NET_LISTS_MAX {
                return Err(NetTablesError::TooManyLists);
            }
            tables.push(table);
        }
        Ok(Self { profiles, tables })
    }

    /// Which table is a process's: that of its profile's number.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The tables, by profile number.
    pub fn tables(&self) -> &[NetTable] {
        &self.tables
    }
}
