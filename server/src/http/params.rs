//! Query strings: each parameter known, given once, and of its type.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use jiff::Timestamp;

use super::error::{ApiError, nearest};

/// Most parameters in one query.
const PARAMS_MAX: usize = 32;

/// What a cursor looks like, for messages.
pub const CURSOR: &str = "`next_cursor` of the page before, unchanged";
/// 0000-01-01T00:00:00Z, the first instant that RFC 3339 can write.
const YEAR_0: i64 = -62_167_219_200;
/// Longest cursor of such a list; ours are far shorter.
const CURSOR_CHARS_MAX: usize = 128;
/// Most rows of a page, and how many there are unless told.
const PAGE_MAX: u32 = 1000;

/// The parameters of a query, not yet looked at.
pub struct Params(Vec<(String, String)>);

/// For addresses that take no parameters: any is an error.
pub struct NoParams;

/// The parameters of a query, all of them known to the one who asked.
pub struct Known(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|error| {
            ApiError::bad_request("invalid_query", "the query string is not readable").because(&error)
        })?;
        if pairs.len() > PARAMS_MAX {
            return Err(ApiError::bad_request(
                "invalid_query",
                format!("the query has more than {PARAMS_MAX} parameters"),
            ));
        }
        Ok(Self(pairs))
    }
}

impl<S: Sync> FromRequestParts<S> for NoParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Params::from_request_parts(parts, state).await?.only(&[])?;
        Ok(Self)
    }
}

impl Params {
    /// Refuses what is not in `accepted` and what is given twice.
    ///
    /// # Errors
    /// `unknown_parameter`, `repeated_parameter`.
    pub fn only(self, accepted: &[&str]) -> Result<Known, ApiError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !accepted.contains(&name.as_str()) {
                let error = ApiError::bad_request("unknown_parameter", format!("unknown query parameter `{name}`"));
                return Err(match (nearest(name, accepted.iter().copied()), accepted) {
                    (Some(meant), _) => error.hint(format!("did you mean `{meant}`?")),
                    (None, []) => error.hint("this address takes no query parameters"),
                    (None, _) => error.hint(format!("accepted: {}", accepted.join(", "))),
                });
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                let message = format!("query parameter `{name}` is given more than once");
                return Err(ApiError::bad_request("repeated_parameter", message));
            }
        }
        Ok(Known(self.0))
    }
}

impl Known {
    /// The value of a parameter as it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter; `expected` says what it may be.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn parse<T: FromStr>(&self, name: &str, expected: impl Display) -> Result<Option<T>, ApiError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| invalid(name, value, &expected))
    }

    /// One of an enumeration's words.
    ///
    /// # Errors
    /// `invalid_parameter`, with what was probably meant.
    pub fn word<T: FromStr>(&self, name: &str, words: &[&str]) -> Result<Option<T>, ApiError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| match nearest(value, words.iter().copied()) {
            Some(meant) => invalid(name, value, &words.join(", ")).hint(format!("did you mean `{meant}`?")),
            None => invalid(name, value, &words.join(", ")),
        })
    }

    /// An instant in RFC 3339.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        const EXPECTED: &str = "an instant like 2026-11-22T19:00:00Z";
        let error = match self.parse::<Timestamp>(name, EXPECTED) {
            // RFC 3339 has no years before Christ, and PostgreSQL ends in 4713 BC.
            Ok(Some(instant)) if instant < Timestamp::from_second(YEAR_0).unwrap_or(Timestamp::MIN) => {
                invalid(name, self.text(name).unwrap_or_default(), &EXPECTED)
            }
            Ok(instant) => return Ok(instant),
            Err(error) => error,
        };
        // `+` means a space in a query string.
        Err(match self.text(name) {
            Some(value) if value.contains(' ') => error.hint("a `+` in a query string is written `%2B`"),
            _ => error,
        })
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn number(&self, name: &str, min: u32, max: u32) -> Result<Option<u32>, ApiError> {
        let expected = format!("a whole number from {min} to {max}");
        let Some(number) = self.parse(name, &expected)? else { return Ok(None) };
        if (min..=max).contains(&number) {
            return Ok(Some(number));
        }
        Err(invalid(name, self.text(name).unwrap_or_default(), &expected))
    }
}

/// The query of a list that takes `cursor` and `limit` alone.
///
/// # Errors
/// `unknown_parameter`, `repeated_parameter`, `invalid_parameter`.
pub fn page(params: Params) -> Result<(Known, u32), ApiError> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.number("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX);
    if let Some(cursor) = params.text("cursor")
        && (cursor.is_empty() || cursor.chars().count() > CURSOR_CHARS_MAX)
    {
        return Err(invalid("cursor", cursor, &CURSOR));
    }
    Ok((params, limit))
}

/// The error for a value that a parameter does not take.
pub fn invalid(name: &str, value: &str, expected: &dyn Display) -> ApiError {
    let shown: String = value.chars().take(64).collect();
    ApiError::bad_request("invalid_parameter", format!("query parameter `{name}` is `{shown}`; accepted: {expected}"))
}
