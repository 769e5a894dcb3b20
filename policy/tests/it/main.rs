//! What the language means, by the files of `testdata` and `examples`.

mod cases;
mod examples;
mod hostile;
