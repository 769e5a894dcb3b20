//! `tyrctl top` in a real terminal, at the two sizes that it was drawn for.
