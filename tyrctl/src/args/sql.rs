//! Arguments of `sql`, and of `--sql`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::ListArgs;
use crate::sql::catalog;

/// The flag of commands that a statement answers.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct SqlArg {
    /// Print the SQL that answers this, ready for psql, and do nothing else; needs no server.
    #[arg(long)]
    pub sql: bool,
}

/// Flags of a list that a statement answers.
#[derive(Clone, Debug, Default, Args)]
pub struct SqlListArgs {
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `sql …`
#[derive(Clone, Debug, Subcommand)]
pub enum SqlCommand {
    /// The statements by name, with what they answer.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl sql list
  tyrctl sql list -o json"
    )]
    List(ListArgs),
    /// One statement, ready for psql.
    #[command(after_long_help = "\
With a number of the manual, e.g. M10, all that it asks for. Times are filled in
as the command has them unless told; the flag `--sql` of the command itself
fills in what you say.

Examples:
  tyrctl sql show drift
  tyrctl sql show M3                           the manual's text, word by word
  tyrctl sql show tables | psql \"$(tyr-server db url)\"")]
    Show {
        /// Name or number of the manual.
        #[arg(value_name = "NAME", value_parser = names(), ignore_case = true, hide_possible_values = true)]
        name: String,
    },
}

fn names() -> PossibleValuesParser {
    let names = catalog::ALL.iter().map(|statement| statement.name);
    let mut numbers: Vec<&str> = catalog::ALL.iter().flat_map(|statement| statement.numbers()).collect();
    numbers.sort_by_key(|number| number[1..].parse::<u32>().unwrap_or(u32::MAX));
    numbers.dedup();
    PossibleValuesParser::new(names.chain(numbers).collect::<Vec<_>>())
}
