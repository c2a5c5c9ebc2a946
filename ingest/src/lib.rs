//! Bytes of money files to canonical batches.
//!
//! A [`Format`] recognises a file by its first bytes and reads it as a stream into [`Batch`]es,
//! which a [`Receiver`] takes in the order of the file. [`FORMATS`] lists them all; [`recognize`]
//! picks one. What cannot be read becomes a [`tieout_core::QuarantinedLine`] or a
//! [`tieout_core::Finding`], never an error: a [`ReadError`] means that the file itself could
//! not be opened or read to its end, or that the receiver wants no more.
//!
//! ```
//! use tieout_ingest::{Role, recognize};
//!
//! let statement = b"01,091000019,4400128871,260316,0605,1,,,2/\n02,4400128871,091000019,1/\n";
//! let format = recognize(statement).unwrap();
//! assert_eq!((format.name(), format.role()), ("bai2", Role::BankLines));
//! assert!(recognize(b"Dear customer, please find attached").is_none());
//! ```

mod bai2;
mod bank_csv;
mod canonical;
mod cfonb120;
mod cnab;
mod cnab240;
mod cnab400;
mod coda;
mod decimal;
mod fedwire;
mod fixed;
mod format;
mod intake;
mod iso20022;
mod lines;
mod lockbox;
mod mt;
mod nacha;
mod national;
mod norma43;
mod oddities;
mod ofx;
mod processor;
mod qif;
mod registry;
mod rows;
mod stream;
mod transport;
mod x12;
mod x937;
mod xml;

pub use bank_csv::CsvProfiles;
pub use format::{
    Batch, Counts, Format, NumberedStatement, ReadError, Receiver, Role, Settings, ShownLine,
    Stopped,
};
pub use intake::{Intake, Notice, Part, RAW_BYTES_MAX};
pub use lines::{LINE_BYTES_MAX, Line, LineReader};
pub use lockbox::{LayoutError, Layouts};
pub use registry::{FORMATS, HEAD_BYTES, recognize, recognize_by_profile, recognize_file};
pub use transport::{SourceFile, locate, unpack};
