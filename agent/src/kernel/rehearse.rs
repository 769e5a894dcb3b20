//! What a policy says of a path, found by the kernel's own walk without anybody opening it.
//!
//! The walk is the very function that the hooks call, run by test-run in maps of its own; nothing is attached. It loads where BPF LSM
//! does not, so that the walk can be compared with the evaluator, and timed, on any kernel.

use std::time::Duration;

use aya::maps::{Array, ArrayOfMaps, MapData};
use aya::programs::{SchedClassifier, TestRun, TestRunOptions};
use aya::{Ebpf, EbpfLoader};
use tyr_policy::{Action, FILE_ACTIONS, Held, Image, Word};

use super::KernelError;
use super::abi::{self, PATH_BYTES_MAX, PATH_TRUNCATED, WALK_BYTES};
use super::load::{OBJECT, chain, map, refused, take};
use super::policy::{swap, tables};

const PROGRAM: &str = "tyr_rehearse";
/// Least frame that a test-run takes; nothing of it is looked at.
const FRAME: [u8; 14] = [0; 14];

/// The loaded walk. Dropping it unloads it.
pub struct Rehearsal {
    object: Ebpf,
    policies: ArrayOfMaps<MapData>,
    questions: Array<MapData, abi::Rehearsal>,
}

impl std::fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rehearsal")
    }
}

impl Rehearsal {
    /// Loads the walk, without a policy.
    ///
    /// # Errors
    /// Not root, or the kernel refuses the program.
    pub fn load() -> Result<Self, KernelError> {
        let mut object =
            EbpfLoader::new().allow_unsupported_maps().load(OBJECT).map_err(|e| KernelError::Object(chain(&e)))?;
        classifier(&mut object).load().map_err(|e| refused(PROGRAM, e))?;
        let policies = take(&mut object, "policies")?;
        let questions = take(&mut object, "rehearsals")?;
        Ok(Self { object, policies, questions })
    }

    /// Puts the tables over files in force for the questions that follow.
    ///
    /// # Errors
    /// The kernel did not take them.
    pub fn publish(&mut self, image: &Image) -> Result<(), KernelError> {
        let mut types = 0;
        let tables = tables(image, 1, |_| {
            types += 1;
            Some(types)
        })?;
        swap(&mut self.policies, &tables).map(|_| ())
    }

    /// What the published policy says of a path of at most 4,096 bytes to a process of this profile that is held to these rules; `None`
    /// for what is no action on files, or without a policy.
    ///
    /// # Errors
    /// The kernel did not run the walk.
    pub fn judge(
        &mut self,
        profile: u16,
        action: Action,
        path: &[u8],
        truncated: bool,
        held: Held,
    ) -> Result<Option<Word>, KernelError> {
        if !self.ask(profile, action, path, truncated, held)? {
            return Ok(None);
        }
        self.run(1)?;
        let answer = self.questions.get(&0, 0).map_err(|e| map("rehearsals", e))?;
        Ok(Word::from_bits(answer.answer).filter(|_| answer.generation != 0))
    }

    /// How long one judgement of a path takes, on the average of so many.
    ///
    /// # Errors
    /// The kernel did not run the walk.
    pub fn time(&mut self, profile: u16, action: Action, path: &[u8], rounds: u32) -> Result<Duration, KernelError> {
        self.ask(profile, action, path, false, Held::NONE)?;
        self.run(rounds)
    }

    /// Lays the question down; false: it is none.
    fn ask(
        &mut self,
        profile: u16,
        action: Action,
        path: &[u8],
        truncated: bool,
        held: Held,
    ) -> Result<bool, KernelError> {
        let Some(action) = FILE_ACTIONS.iter().position(|own| *own == action) else { return Ok(false) };
        let Some(at) = PATH_BYTES_MAX.checked_sub(path.len()) else { return Ok(false) };
        let mut question = abi::Rehearsal {
            path: [0; WALK_BYTES],
            profile: profile.into(),
            action: u32::try_from(action).expect("three actions"),
            at: u32::try_from(at).expect("a path is short"),
            path_flags: if truncated { PATH_TRUNCATED } else { 0 },
            held: held.bits(),
            answer: 0,
            generation: 0,
        };
        question.path[at..PATH_BYTES_MAX].copy_from_slice(path);
        self.questions.set(0, question, 0).map_err(|e| map("rehearsals", e))?;
        Ok(true)
    }

    fn run(&mut self, rounds: u32) -> Result<Duration, KernelError> {
        let options = TestRunOptions { data_in: Some(&FRAME), repeat: rounds, ..TestRunOptions::new() };
        let ran = classifier(&mut self.object).test_run(options).map_err(|e| refused(PROGRAM, e))?;
        Ok(ran.duration)
    }
}

fn classifier(object: &mut Ebpf) -> &mut SchedClassifier {
    let program = object.program_mut(PROGRAM).expect("the object was built with this agent");
    program.try_into().expect("its section says so")
}
