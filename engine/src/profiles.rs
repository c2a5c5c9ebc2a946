//! Lockbox layouts and CSV profiles: those that lie among the files, and those of earlier runs,
//! which later files of the same bank need too.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use tieout_ingest::{CsvProfiles, Layouts, Role, Settings};

use crate::EngineError;
use crate::books::skip;
use crate::carried::Earlier;
use crate::files::Found;
use crate::report::Report;

/// The format of a CSV profile; all others are lockbox layouts.
const CSV_PROFILE: &str = "bank_csv_profile";

/// Takes the layouts and profiles of earlier runs and those among the files into `settings`, and
/// says whether one is new.
///
/// # Errors
/// [`EngineError::Internal`] if the writer has stopped.
pub fn add(
    found: &Found,
    settings: &mut Settings,
    report: &mut Report,
    earlier: &Earlier,
) -> Result<bool, EngineError> {
    add_earlier(settings, earlier);
    let findings = found.add_layouts_to(settings);
    let mut has_news = false;
    for file in found.of(Role::Profile) {
        let name = &file.source.name;
        let is_usable = !findings.iter().any(|finding| finding.file == *name);
        if let Ok(text) = fs::read_to_string(&file.source.path)
            && is_usable
        {
            let format = file.format.name();
            let mut known = earlier.left.profiles.iter().filter_map(parts);
            // The last one of a name is the one that holds.
            if known.rfind(|&(_, other, _)| other == name) != Some((format, name, &text)) {
                let said = json!({ "format": format, "name": name, "text": text });
                report.desk.profile(said)?;
                has_news = true;
            }
        }
        skip(file, settings, report)?;
    }
    report.findings(&findings)?;
    Ok(has_news)
}

fn add_earlier(settings: &mut Settings, earlier: &Earlier) {
    let mut layouts = Layouts::clone(&settings.layouts);
    let mut csv_profiles = CsvProfiles::clone(&settings.csv_profiles);
    for (format, name, text) in earlier.left.profiles.iter().filter_map(parts) {
        // It was read once, and a version that does not know it any more has nothing to say of it.
        let _ = match format {
            CSV_PROFILE => csv_profiles.add(name, text),
            _ => layouts.add(name, text),
        };
    }
    settings.layouts = Arc::new(layouts);
    settings.csv_profiles = Arc::new(csv_profiles);
}

/// The CSV profiles of earlier runs.
pub fn csv_profiles(earlier: &Earlier) -> CsvProfiles {
    let mut profiles = CsvProfiles::default();
    for (format, name, text) in earlier.left.profiles.iter().filter_map(parts) {
        if format == CSV_PROFILE {
            let _ = profiles.add(name, text);
        }
    }
    profiles
}

fn parts(said: &Value) -> Option<(&str, &str, &str)> {
    let text = |name: &str| said[name].as_str();
    Some((text("format")?, text("name")?, text("text")?))
}
