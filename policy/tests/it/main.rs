//! What the language means, by the files of `testdata` and `examples`.

mod bounds;
mod cases;
mod examples;
mod hostile;
