//! What the database said, in its words alone.

use std::error::Error;
use std::fmt;

/// An error of the driver. Its text leaves out the line of PostgreSQL's own source code, which the driver adds to each
/// message, and has the SQLSTATE instead, which manuals list.
#[derive(Debug)]
pub struct Cause(sqlx::Error);

impl Cause {
    pub(super) fn new(error: sqlx::Error) -> Self {
        Self(error)
    }

    /// The error itself.
    pub(super) fn error(&self) -> &sqlx::Error {
        &self.0
    }

    /// SQLSTATE, if the database itself answered.
    pub fn sqlstate(&self) -> Option<String> {
        Some(self.0.as_database_error()?.code()?.into_owned())
    }
}

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(said) = self.0.as_database_error() else { return write!(f, "{}", self.0) };
        f.write_str(said.message())?;
        match said.code() {
            Some(code) => write!(f, " (SQLSTATE {code})"),
            None => Ok(()),
        }
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The database's words stand above already.
        if self.0.as_database_error().is_some() { None } else { self.0.source() }
    }
}
