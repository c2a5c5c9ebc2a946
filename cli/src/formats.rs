//! `tieout formats`: what is read.

use std::io::{self, Write};

use tieout::FORMATS;

use crate::Outcome;
use crate::failure::Failure;
use crate::terminal::{Paint, WIDTH, wrap};

const NAME_WIDTH: usize = 24;

/// Lists every format with what it is.
pub fn formats() -> Result<Outcome, Failure> {
    let paint = Paint::of_stdout();
    let mut out = io::stdout().lock();
    for format in FORMATS {
        let name = format!("{:<NAME_WIDTH$}", format.name());
        let lines = wrap(&format.about(), WIDTH - NAME_WIDTH);
        let indented = lines.join(&format!("\n{:NAME_WIDTH$}", ""));
        writeln!(out, "{}{indented}", paint.heading(&name))?;
    }
    out.flush()?;
    Ok(Outcome::Clean)
}
