//! Bytes of money files to canonical batches.
//!
//! A [`Format`] recognises a file by its first bytes and reads it as a stream into [`Batch`]es,
//! which a [`Receiver`] takes in the order of the file. [`FORMATS`] lists them all; [`recognize`]
//! picks one. What cannot be read becomes a [`tieout_core::QuarantinedLine`] or a
//! [`tieout_core::Finding`], never an error: a [`ReadError`] means that the file itself could
//! not be opened or read to its end, or that the receiver wants no more.

mod bai2;
mod canonical;
mod format;
mod intake;
mod lines;
mod lockbox;
mod registry;
mod rows;

pub use format::{Batch, Counts, Format, ReadError, Receiver, Role, Settings, SourceFile, Stopped};
pub use intake::{Intake, Notice, RAW_BYTES_MAX};
pub use lines::{LINE_BYTES_MAX, Line, LineReader};
pub use lockbox::{LayoutError, Layouts};
pub use registry::{FORMATS, HEAD_BYTES, recognize, recognize_file};
