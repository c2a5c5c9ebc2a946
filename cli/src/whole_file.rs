//! What a command writes: to standard output, or to a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tieout::EngineError;

use crate::failure::Failure;

/// Lets `write` write to the file `path`, or to standard output where there is none.
pub fn write_out(
    path: Option<&Path>,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), EngineError>,
) -> Result<(), Failure> {
    let Some(path) = path else {
        let mut out = BufWriter::new(io::stdout());
        write(&mut out)?;
        return Ok(out.flush()?);
    };
    let unwritable = |error: io::Error| Failure::unwritable(path, &error);
    let mut file = WholeFile::create(path).map_err(unwritable)?;
    match write(&mut file) {
        Err(EngineError::Answer(error)) => return Err(unwritable(error)),
        written => written?,
    }
    file.finish().map_err(unwritable)
}

/// A file in the making, under a name of its own beside the one that it gets in the end. What is not
/// a plain file (`/dev/stdout`, a pipe) is written to as it is.
struct WholeFile {
    out: BufWriter<File>,
    partial: Option<PathBuf>,
    path: PathBuf,
}

impl WholeFile {
    /// Begins the file `path`.
    fn create(path: &Path) -> io::Result<Self> {
        let is_special = fs::metadata(path).is_ok_and(|about| !about.is_file());
        let partial = path.file_name().filter(|_| !is_special).map(|name| {
            let mut own = std::ffi::OsString::from(".");
            own.push(name);
            own.push(".partial");
            path.with_file_name(own)
        });
        let file = File::create(partial.as_deref().unwrap_or(path))?;
        Ok(Self {
            out: BufWriter::new(file),
            partial,
            path: path.to_owned(),
        })
    }

    /// Gives the file its name. When this returns, it is on disk.
    fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        let Some(partial) = self.partial.take() else {
            return Ok(());
        };
        let shown = self.out.get_ref().sync_all();
        let shown = shown.and_then(|()| fs::rename(&partial, &self.path));
        if shown.is_err() {
            self.partial = Some(partial);
            return shown;
        }
        let folder = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for WholeFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.out.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // What cannot be removed is written over by the next try.
            let _ = fs::remove_file(partial);
        }
    }
}
