//! Patterns as people write them, always the same: for benchmarks and for the test of sizes.

/// The first `count` of them.
pub(crate) fn patterns(count: usize) -> Vec<String> {
    let fixed = [
        "/home/*/.ssh/**",
        "**/.env",
        "/etc/**",
        "**/*.pem",
        "/home/*/project/**/[!.]*.rs",
        "**/.env.*",
        "~/.aws/**",
        "~/.gnupg/**",
        "**/id_rsa*",
        "/root/**",
        "**/.git/config",
        "/var/lib/**/*.db",
        "**/*.{key,p12}",
        "~/.config/gcloud/**",
        "/proc/*/environ",
    ];
    let words = ["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "theta", "lambda", "zeta"];
    let made = (0..).map(|i| {
        let (word, n) = (words[i % 10], i / 10);
        match i % 5 {
            0 => format!("/srv/{word}{n}/**"),
            1 => format!("/opt/{word}{n}/*/bin/**"),
            2 => format!("**/{word}{n}.toml"),
            3 => format!("/home/*/work/{word}{n}/**/*.secret"),
            _ => format!("/data/{word}{n}/*.json"),
        }
    });
    fixed.iter().map(ToString::to_string).chain(made).take(count).collect()
}
