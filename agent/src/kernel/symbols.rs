//! Where the kernel keeps what no BPF program can name: the addresses of its variables.

use std::fs::File;
use std::io::{BufRead, BufReader};

/// The kernel's own list of its symbols: `ADDRESS TYPE NAME [MODULE]` a line. Without `CAP_SYSLOG` each address is zero.
const SYMBOLS: &str = "/proc/kallsyms";

/// The addresses of variables of the kernel itself, 0 where one isn't known.
pub(super) fn addresses<const N: usize>(names: [&str; N]) -> [u64; N] {
    File::open(SYMBOLS).map_or([0; N], |file| find(BufReader::new(file), names))
}

fn find<const N: usize>(list: impl BufRead, names: [&str; N]) -> [u64; N] {
    let mut found = [0; N];
    for line in list.lines().map_while(Result::ok) {
        let mut words = line.split_ascii_whitespace();
        let (Some(address), Some(_), Some(name), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            found[at] = u64::from_str_radix(address, 16).unwrap_or(0);
            if !found.contains(&0) {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_modules_and_hidden_ones_are_not_taken() {
        let list = "ffffffff81000000 T _text\nffffffffc0000000 d rename_lock\t[evil]\nffffffff82a00040 D rename_lock\n\
                    0000000000000000 d mount_lock\n";
        assert_eq!(find(list.as_bytes(), ["mount_lock", "rename_lock"]), [0, 0xffff_ffff_82a0_0040]);
    }
}
