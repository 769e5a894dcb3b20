//! The path walk beside `bpf_d_path`, which the kernel offers to few programs and without a look above the process's root: for tests.
//!
//! The walk is the very function that the hooks call. The program judges nothing, and looks at one thread alone.

use aya::maps::{Array, MapData};
use aya::programs::Lsm;
use aya::{Btf, Ebpf, EbpfLoader};

use super::KernelError;
use super::abi::{self, PATH_BYTES_MAX, PATH_DELETED, PATH_PSEUDO, PATH_TRUNCATED};
use super::load::{OBJECT, chain, map, refused, take};
use crate::decode::{PathFlags, view};

const PROGRAM: &str = "tyr_compare";

/// The loaded program. Dropping it takes it off.
pub struct Comparison {
    _object: Ebpf,
    shared: Array<MapData, abi::Comparison>,
}

impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Comparison")
    }
}

/// An open of the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What the walk gives, from the root of the mount namespace.
    pub path: Vec<u8>,
    /// Where the process's own view begins in it.
    pub view_at: usize,
    /// What the path is and isn't.
    pub flags: PathFlags,
    /// What `bpf_d_path` says, or its error.
    pub said: Result<Vec<u8>, i32>,
}

impl Compared {
    /// The path as the process itself sees it.
    pub fn view(&self) -> &[u8] {
        view(&self.path, self.view_at)
    }
}

impl Comparison {
    /// Loads and attaches it, for opens of the calling thread.
    ///
    /// # Errors
    /// Not root, or the kernel takes no programs of LSM.
    pub fn load() -> Result<Self, KernelError> {
        let btf = Btf::from_sys_fs().map_err(|e| KernelError::Object(chain(&e)))?;
        let mut object =
            EbpfLoader::new().allow_unsupported_maps().load(OBJECT).map_err(|e| KernelError::Object(chain(&e)))?;
        let mut shared: Array<MapData, abi::Comparison> = take(&mut object, "comparisons")?;
        let mut asked = shared.get(&0, 0).map_err(|e| map("comparisons", e))?;
        asked.tid = rustix::thread::gettid().as_raw_pid().cast_unsigned();
        shared.set(0, asked, 0).map_err(|e| map("comparisons", e))?;
        let program: &mut Lsm = object
            .program_mut(PROGRAM)
            .expect("the object was built with this agent")
            .try_into()
            .expect("its section says so");
        program.load("file_open", &btf).map_err(|e| refused(PROGRAM, e))?;
        program.attach().map_err(|e| refused(PROGRAM, e))?;
        Ok(Self { _object: object, shared })
    }

    /// What both said of the first open that this makes, or of a later one; `None` when it makes none.
    ///
    /// # Errors
    /// The map can't be read or written.
    pub fn of(&mut self, wanted: u32, open: impl FnOnce()) -> Result<Option<Compared>, KernelError> {
        let asked = abi::Comparison { wanted, opens: 0, ..self.read()? };
        self.shared.set(0, asked, 0).map_err(|e| map("comparisons", e))?;
        open();
        let found = self.read()?;
        if found.opens <= wanted {
            return Ok(None);
        }
        let at = (found.walked.at as usize).min(PATH_BYTES_MAX);
        let flag = |flag| found.walked.flags & flag != 0;
        let said = usize::try_from(found.said_bytes).map_err(|_| -found.said_bytes).map(|bytes| {
            // The NUL counts.
            found.said[..bytes.saturating_sub(1).min(PATH_BYTES_MAX)].to_vec()
        });
        Ok(Some(Compared {
            path: found.walk[at..PATH_BYTES_MAX].to_vec(),
            view_at: (found.walked.view_at as usize).saturating_sub(at),
            flags: PathFlags {
                deleted: flag(PATH_DELETED),
                pseudo: flag(PATH_PSEUDO),
                truncated: flag(PATH_TRUNCATED),
            },
            said,
        }))
    }

    fn read(&self) -> Result<abi::Comparison, KernelError> {
        self.shared.get(&0, 0).map_err(|e| map("comparisons", e))
    }
}
