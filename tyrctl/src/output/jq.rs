//! `--jq`: expressions of jq, evaluated by jaq, so that nothing has to be installed.
//!
//! An expression may run for ever, eat all memory or go down without end (`def f: 1 + f; f`), and none of that can be seen in
//! its text. So it is evaluated by a process of its own, this same program started once more, that the kernel holds to limits
//! of time, memory and stack: what ends there is an error here.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::Failure;

mod expression;
mod worker;

use expression::Expression;
use worker::Worker;
pub use worker::answer;

/// An expression that was understood.
pub struct Jq {
    code: String,
    /// How long one input may be computed on.
    limit: Duration,
    /// Started with the first input.
    worker: RefCell<Option<Worker>>,
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jq").field("code", &self.code).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Jq {
    /// Reads an expression; one input may keep the processor busy for `limit`.
    ///
    /// # Errors
    /// When it is none, with the place that is wrong.
    pub fn new(code: &str, limit: Duration) -> Result<Self, Failure> {
        Expression::new(code)?;
        Ok(Self { code: code.to_owned(), limit, worker: RefCell::new(None) })
    }

    /// All results for one input, given one by one.
    ///
    /// # Errors
    /// What the expression raises, what has no form in JSON, when it goes beyond a limit, and what `take` says.
    pub fn run(&self, input: &Value, take: impl FnMut(Value) -> Result<(), Failure>) -> Result<(), Failure> {
        let running = self.worker.borrow_mut().take();
        let mut worker = match running {
            Some(worker) => worker,
            None => Worker::start(&self.code, self.limit)?,
        };
        // One that failed, or has results left that nobody takes, ends here.
        worker.run(input, take)?;
        self.worker.replace(Some(worker));
        Ok(())
    }
}

/// What an expression that can't be evaluated says.
fn failed(cause: impl Into<String>) -> Failure {
    Failure::failed("the jq expression failed").cause(cause)
}
