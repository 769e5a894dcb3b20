//! Fingerprints as one automaton, walked by the kernel at each exec and by the scan.

use tyr_policy::{Automaton, Glob};

use super::{Fingerprints, FingerprintsError};

/// Bounds the automaton: about 40 columns of 4 bytes per state make 10 MiB at most, before equal states are merged.
const STATES_MAX: usize = 65_536;

/// What a pattern stands for.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// Its text, as in the data.
    pub(crate) text: String,
    /// What the process is.
    pub(crate) agent_type: String,
    /// A tool of agents, rather than one.
    pub(crate) tool: bool,
    /// For a candidate: where the name must lead to.
    pub(crate) into: Option<Vec<Glob>>,
}

/// The automaton, and what its accepts stand for.
///
/// It runs over `path of the executable`, or that and NUL `s` and the script, or that and NUL `m` and the module. Patterns
/// never match NUL by wildcard, so that each stays in its part.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) automaton: Automaton,
    pub(crate) patterns: Vec<Pattern>,
}

/// What a process was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// The executable alone.
    Exe,
    /// A script, as an absolute path.
    Script(&'a [u8]),
    /// A module.
    Module(&'a [u8]),
}

impl Compiled {
    pub(crate) fn new(data: &Fingerprints) -> Result<Self, FingerprintsError> {
        let mut all = Collect::default();
        for entry in &data.fingerprints {
            let problem = |problem: String| FingerprintsError::Entry { agent_type: entry.agent_type.clone(), problem };
            let interpreters = |name: &str| {
                data.interpreters.get(name).ok_or_else(|| problem(format!("no interpreter is called `{name}`")))
            };
            let mut add = |text: String, into: Option<Vec<Glob>>| {
                let pattern = Pattern {
                    text: text.replace('\0', " "),
                    agent_type: entry.agent_type.clone(),
                    tool: entry.tool,
                    into,
                };
                all.add(&text, pattern).map_err(problem)
            };
            for exe in &entry.exe {
                add(exe.clone(), None)?;
            }
            for run in &entry.script {
                for (exe, path) in pairs(interpreters(&run.by)?, &run.paths) {
                    add(format!("{exe}\0s{path}"), None)?;
                }
            }
            for run in &entry.module {
                for (exe, module) in pairs(interpreters(&run.by)?, &run.paths) {
                    add(format!("{exe}\0m{module}"), None)?;
                }
            }
            for link in &entry.links {
                let into: Vec<Glob> = link
                    .into
                    .iter()
                    .map(|text| Glob::parse(text).map_err(|e| problem(format!("`{text}`: {e}"))))
                    .collect::<Result<_, _>>()?;
                for (exe, path) in pairs(interpreters(&link.by)?, &link.paths) {
                    add(format!("{exe}\0s{path}"), Some(into.clone()))?;
                }
            }
        }
        // A sure sign goes before a candidate, whatever the order in the data.
        let (sure, weak): (Vec<_>, Vec<_>) = all.0.into_iter().partition(|(_, pattern)| pattern.into.is_none());
        let (globs, patterns): (Vec<Glob>, Vec<Pattern>) = sure.into_iter().chain(weak).unzip();
        let automaton = Automaton::build(&globs, STATES_MAX).map_err(|e| FingerprintsError::Entry {
            agent_type: patterns[e.pattern].agent_type.clone(),
            problem: e.to_string().replace('\0', " "),
        })?;
        Ok(Self { automaton, patterns })
    }

    /// The pattern that recognises an executable, or what it runs.
    pub(crate) fn recognise(&self, exe: &[u8], part: Part<'_>) -> Option<usize> {
        match part {
            Part::Exe => self.automaton.run(exe),
            Part::Script(path) => self.automaton.run(&[exe, b"\0s", path].concat()),
            Part::Module(name) => self.automaton.run(&[exe, b"\0m", name].concat()),
        }
    }
}

#[derive(Default)]
struct Collect(Vec<(Glob, Pattern)>);

impl Collect {
    fn add(&mut self, text: &str, pattern: Pattern) -> Result<(), String> {
        let glob = Glob::parse(text).map_err(|e| format!("`{}`: {e}", pattern.text))?;
        self.0.push((glob, pattern));
        Ok(())
    }
}

fn pairs<'a>(left: &'a [String], right: &'a [String]) -> impl Iterator<Item = (&'a str, &'a str)> {
    left.iter().flat_map(move |l| right.iter().map(move |r| (l.as_str(), r.as_str())))
}

/// The argument that says what an interpreter runs: the first that is no option, or the one after `-m`.
///
/// The same as `args_match_step` of `ebpf/exec.bpf.c` does byte by byte.
pub(crate) fn positional(args: &[u8]) -> Option<Positional<'_>> {
    let args = args.strip_suffix(b"\0").unwrap_or(args);
    let mut rest = args.split(|&byte| byte == 0).skip(1);
    while let Some(arg) = rest.next() {
        match arg {
            b"-m" => return rest.next().map(Positional::Module),
            b"-r" | b"-C" | b"-X" | b"-W" => {
                rest.next();
            }
            b"-c" | b"-e" | b"-p" => return None,
            [b'-', ..] => {}
            script => return Some(Positional::Script(script)),
        }
    }
    None
}

/// What an interpreter was told to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positional<'a> {
    /// A file, as written.
    Script(&'a [u8]),
    /// A module.
    Module(&'a [u8]),
}

#[cfg(test)]
mod tests {
    use super::{Compiled, Part, Positional, positional};
    use crate::fingerprints::Fingerprints;

    #[test]
    fn finds_what_an_interpreter_runs() {
        let script = |text: &'static [u8]| Some(Positional::Script(text));
        assert_eq!(positional(b"node\0--expose-gc\0/a/cli.js\0x\0"), script(b"/a/cli.js"));
        assert_eq!(positional(b"node\0-r\0hook.js\0cli.js\0"), script(b"cli.js"));
        assert_eq!(positional(b"python\0-u\0-m\0aider\0"), Some(Positional::Module(b"aider")));
        assert_eq!(positional(b"node\0-e\0/a/cli.js\0"), None);
        assert_eq!(positional(b"node\0"), None);
    }

    #[test]
    fn built_in_fingerprints_compile() {
        let compiled = Compiled::new(&Fingerprints::load(None).unwrap()).unwrap();
        assert!(!compiled.patterns.is_empty());
        assert!(compiled.automaton.table().len() < 1 << 20, "{:?}", compiled.automaton);
    }

    #[test]
    fn a_pattern_stays_in_its_part() {
        let data = Fingerprints::parse(
            "test",
            "interpreters: {node: ['**/bin/node']}\nfingerprints:\n- agent_type: x\n  script: [{by: node, paths: ['**/x/cli.js']}]\n",
        )
        .unwrap();
        let compiled = Compiled::new(&data).unwrap();
        assert_eq!(compiled.recognise(b"/usr/bin/node", Part::Script(b"/o/x/cli.js")), Some(0));
        assert_eq!(compiled.recognise(b"/usr/bin/cat", Part::Script(b"/o/x/cli.js")), None);
        assert_eq!(compiled.recognise(b"/usr/bin/node", Part::Module(b"/o/x/cli.js")), None);
        assert_eq!(compiled.recognise(b"/usr/bin/node", Part::Exe), None);
        assert_eq!(compiled.recognise(b"/o/x/cli.js", Part::Exe), None);
    }
}
