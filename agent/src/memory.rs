//! Memory that was needed for a moment.

/// Gives freed heap pages back to the kernel.
///
/// Loading programs (BTF, verifier logs) and compiling a policy need some 15 MiB for some milliseconds; glibc would keep
/// them for the life of the process. Takes about a millisecond.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: may be called by any thread at any time; it touches only memory that is free.
        unsafe { libc::malloc_trim(0) };
    }
}
