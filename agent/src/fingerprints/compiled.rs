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

/// What an accept of an automaton stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Number of a pattern.
    Pattern(usize),
    /// Number of the automaton over what this interpreter runs.
    Interpreter(usize),
}

/// Automata, and what their accepts stand for.
///
/// Number 0 runs over the executable's path. Each interpreter has one of its own over `/s` and the absolute path of the
/// script, or `/m/` and the module. One automaton for both would be as large as their product.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Each with the number of its first meaning.
    pub(crate) automata: Vec<(Automaton, usize)>,
    pub(crate) meanings: Vec<Meaning>,
    pub(crate) patterns: Vec<Pattern>,
}

/// What a process was recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A script, as an absolute path.
    Script(Vec<u8>),
    /// A module.
    Module(&'a [u8]),
}

/// Interpreters, at most; the kernel's tables have one automaton more.
const INTERPRETERS_MAX: usize = 7;

/// A glob of one automaton, and what it stands for.
type Entry = (Glob, Meaning);

impl Compiled {
    pub(crate) fn new(data: &Fingerprints) -> Result<Self, FingerprintsError> {
        let mut patterns: Vec<Pattern> = Vec::new();
        let names: Vec<&String> = data.interpreters.keys().collect();
        if names.len() > INTERPRETERS_MAX {
            return Err(FingerprintsError::Entry {
                agent_type: names[INTERPRETERS_MAX].clone(),
                problem: format!("there can be {INTERPRETERS_MAX} interpreters"),
            });
        }
        // Automaton 0 and one per interpreter; candidates go behind what is sure, whatever the order in the data.
        let mut sure: Vec<Vec<Entry>> = vec![Vec::new(); names.len() + 1];
        let mut weak = sure.clone();
        for entry in &data.fingerprints {
            let problem = |problem: String| FingerprintsError::Entry { agent_type: entry.agent_type.clone(), problem };
            let parse = |text: &str| Glob::parse(text).map_err(|e| problem(format!("`{text}`: {e}")));
            let number = |by: &str| {
                let at = names.iter().position(|name| *name == by);
                at.map(|at| at + 1).ok_or_else(|| problem(format!("no interpreter is called `{by}`")))
            };
            let mut pattern = |text: &str, into: Option<Vec<Glob>>| {
                let agent_type = entry.agent_type.clone();
                patterns.push(Pattern { text: text.to_owned(), agent_type, tool: entry.tool, into });
                Meaning::Pattern(patterns.len() - 1)
            };
            for text in &entry.exe {
                sure[0].push((parse(text)?, pattern(text, None)));
            }
            for run in &entry.script {
                for text in &run.paths {
                    sure[number(&run.by)?].push((parse(&format!("/s{}", rooted(text)))?, pattern(text, None)));
                }
            }
            for run in &entry.module {
                for text in &run.paths {
                    sure[number(&run.by)?].push((parse(&format!("/m/{text}"))?, pattern(text, None)));
                }
            }
            for link in &entry.links {
                let into: Vec<Glob> = link.into.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
                for text in &link.paths {
                    let glob = parse(&format!("/s{}", rooted(text)))?;
                    weak[number(&link.by)?].push((glob, pattern(text, Some(into.clone()))));
                }
            }
        }
        for (at, name) in names.iter().enumerate() {
            for text in &data.interpreters[*name] {
                let glob = Glob::parse(text).map_err(|e| FingerprintsError::Entry {
                    agent_type: (*name).clone(),
                    problem: format!("`{text}`: {e}"),
                })?;
                weak[0].push((glob, Meaning::Interpreter(at + 1)));
            }
        }
        let mut compiled = Self { automata: Vec::new(), meanings: Vec::new(), patterns };
        for (mut sure, weak) in sure.into_iter().zip(weak) {
            // What matches whatever follows goes first: it ends the patterns behind it, and with them their states.
            sure.sort_by_key(|(glob, _)| !glob.as_str().ends_with("/**"));
            compiled.add(sure.into_iter().chain(weak).collect())?;
        }
        Ok(compiled)
    }

    fn add(&mut self, entries: Vec<Entry>) -> Result<(), FingerprintsError> {
        let (globs, meanings): (Vec<Glob>, Vec<Meaning>) = entries.into_iter().unzip();
        let automaton = Automaton::build(&globs, STATES_MAX).map_err(|e| FingerprintsError::Entry {
            agent_type: match meanings[e.pattern] {
                Meaning::Pattern(at) => self.patterns[at].agent_type.clone(),
                Meaning::Interpreter(_) => "interpreters".to_owned(),
            },
            problem: e.to_string(),
        })?;
        self.automata.push((automaton, self.meanings.len()));
        self.meanings.extend(meanings);
        Ok(())
    }

    fn run(&self, number: usize, text: &[u8]) -> Option<Meaning> {
        let (automaton, first) = &self.automata[number];
        Some(self.meanings[first + automaton.run(text)?])
    }

    /// The pattern that recognises an executable or, if it is an interpreter, what it runs; `runs` is asked for only then.
    pub(crate) fn recognise<'a>(&self, exe: &[u8], runs: impl FnOnce() -> Option<Part<'a>>) -> Option<usize> {
        let number = match self.run(0, exe)? {
            Meaning::Pattern(at) => return Some(at),
            Meaning::Interpreter(number) => number,
        };
        let text = match runs()? {
            Part::Script(path) => [b"/s", &*path].concat(),
            Part::Module(name) => [b"/m/", name].concat(),
        };
        match self.run(number, &text)? {
            Meaning::Pattern(at) => Some(at),
            Meaning::Interpreter(_) => None,
        }
    }
}

/// A path's pattern behind the role: `**/x` stands behind a slash of its own.
fn rooted(text: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("/{text}") }
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
    fn built_in_fingerprints_compile_to_small_tables() {
        let compiled = Compiled::new(&Fingerprints::load(None).unwrap()).unwrap();
        for (automaton, _) in &compiled.automata {
            assert!(automaton.table().len() < 1 << 20, "{automaton:?}");
        }
    }

    #[test]
    fn a_pattern_stays_in_its_part() {
        let data = Fingerprints::parse(
            "test",
            "interpreters: {node: ['**/bin/node']}\nfingerprints:\n- agent_type: x\n  script: [{by: node, paths: ['**/x/cli.js']}]\n",
        )
        .unwrap();
        let compiled = Compiled::new(&data).unwrap();
        let script = || Some(Part::Script(b"/o/x/cli.js".to_vec()));
        assert_eq!(compiled.recognise(b"/usr/bin/node", script), Some(0));
        assert_eq!(compiled.recognise(b"/usr/bin/cat", script), None);
        assert_eq!(compiled.recognise(b"/usr/bin/node", || Some(Part::Module(b"/o/x/cli.js"))), None);
        assert_eq!(compiled.recognise(b"/usr/bin/node", || None), None);
        assert_eq!(compiled.recognise(b"/o/x/cli.js", script), None);
    }
}
