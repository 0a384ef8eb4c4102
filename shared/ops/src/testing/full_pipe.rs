//! A pipe that is full and that nobody reads: what a log collector that stands still leaves a process to write to.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind, PipeReader, Write as _},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
    process::Stdio,
};

/// Linux's `O_NONBLOCK`.
const NON_BLOCKING: i32 = 0o4000;

/// The end for a process to write to, and the other one; closing that makes it a pipe whose reader has gone. It is full of empty
/// lines.
///
/// # Errors
/// When the system gives no pipe.
pub fn full_pipe() -> io::Result<(PipeReader, Stdio)> {
    let (reader, writer) = io::pipe()?;
    // Opened anew, so that what the process gets is as blocking as ever.
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(NON_BLOCKING);
    let mut filler = options.open(format!("/proc/self/fd/{}", writer.as_raw_fd()))?;
    for piece in [[b'\n'; 4_096].as_slice(), b"\n"] {
        loop {
            match filler.write(piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok((reader, writer.into()))
}
