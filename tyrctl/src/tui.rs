//! `tyrctl top`: the fleet on one screen, live.
//!
//! | part | its one question |
//! |---|---|
//! | [`state`] | what is known, and what does the operator look at? Pure: `apply(message, now)`, no I/O, no clock of its own |
//! | [`input`] | which key means what? One table feeds the keys, the bar and the help |
//! | [`keymap`] | which keys did the operator want instead? |
//! | [`filter`] | which rows does the operator want? |
//! | [`views`] | how does it look? One file per panel; reads the state and draws |
//! | [`conn`] | snapshot and stream, reconnecting, aggregated into batches |
//! | [`sampler`] | which of many events are shown? |
//! | [`record`], [`replay`] | how is kept what came, and played again? |
//! | [`kept`] | what does the next run begin with? |
//! | [`run`], [`pace`] | what happens next, and when is a frame drawn? The only place that holds the terminal |
//! | [`term`] | how is the terminal taken and given back, whatever happens? |
//! | [`plain`] | the overview as text, for pipes |
//!
//! Every string reaches the screen through [`views::canvas::Canvas`], which makes it harmless first: file names and command
//! lines are chosen by the watched processes.

pub mod conn;
pub mod filter;
pub mod input;
pub mod kept;
pub mod keymap;
pub mod pace;
pub mod plain;
pub mod record;
pub mod replay;
pub mod run;
pub mod sampler;
pub mod state;
pub mod term;
pub mod theme;
pub mod views;
