//! The pipeline: files are read and their lines admitted on one thread, payments matched on this
//! one and its pool, rows written on a third, with bounded channels between them.

use std::thread;
use std::time::Instant;

use crossbeam::channel::bounded;
use tieout_ingest::Role;
use tieout_matcher::Learned;

use crate::admission::Admission;
use crate::books;
use crate::carried::{Earlier, known_at_cutoff};
use crate::cash::Cash;
use crate::conditions::Conditions;
use crate::files::{self, Found, Known};
use crate::intake::internal;
use crate::outputs::{self, Desk, End, Finished, Outputs};
use crate::profiles;
use crate::reading::{Message, read};
use crate::report::Report;
use crate::{EngineError, Progress, RunOptions, Summary};

/// Reads, ties out and writes what `options` says.
///
/// # Errors
/// An [`EngineError`] if the run could not be done; what is wrong in the files is in the
/// summary and the tables.
pub fn run(options: &RunOptions, progress: &dyn Progress) -> Result<Summary, EngineError> {
    tied_out(options, progress, false).map(|(summary, _)| summary)
}

/// The same, and what was learned from it if it is to be.
///
/// # Errors
/// Those of [`run`].
pub fn tied_out(
    options: &RunOptions,
    progress: &dyn Progress,
    learns: bool,
) -> Result<(Summary, Option<Learned>), EngineError> {
    let began = Instant::now();
    let conditions = Conditions::compile(&options.recipe)?;
    let pool = matching_pool(options.settings.threads)?;
    let mut found = files::find(&options.paths)?;
    let outputs = Outputs::create(options)?;
    let job = Job {
        options,
        conditions: &conditions,
        progress,
        learns,
    };
    let work = |desk: Desk, earlier: &Earlier| {
        found.recognize_by_profile(profiles::csv_profiles(earlier));
        pool.install(|| tie_out(&job, found, desk, earlier))
    };
    let ((mut summary, learned), finished) = posted(outputs, &options.recipe.label(), work)?;
    summary.posting = finished.posting;
    summary.undone = finished.undone;
    if let Some(repeated) = finished.repeated {
        summary.repeat(&repeated);
    }
    summary.elapsed = began.elapsed();
    Ok((summary, learned))
}

/// What is to be done.
struct Job<'a> {
    options: &'a RunOptions,
    conditions: &'a Conditions,
    progress: &'a dyn Progress,
    learns: bool,
}

/// The threads that match.
///
/// # Errors
/// [`EngineError::Internal`] if there are none to be had.
pub fn matching_pool(threads: usize) -> Result<rayon::ThreadPool, EngineError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|place| format!("match-{place}"))
        .build()
        .map_err(internal)
}

/// Writes to `outputs`, on a thread of its own, what `work` sends, and finishes them.
///
/// # Errors
/// Those of `work` and of the outputs.
pub fn posted<T>(
    outputs: Outputs,
    recipe: &str,
    work: impl FnOnce(Desk, &Earlier) -> Result<(T, End), EngineError>,
) -> Result<(T, Finished), EngineError> {
    let earlier = outputs.earlier()?;
    thread::scope(|scope| {
        let (sender, rows) = bounded(outputs::BATCHES_MAX);
        let desk = Desk::new(&outputs, sender);
        let named = thread::Builder::new().name("write".to_owned());
        let writer = named
            .spawn_scoped(scope, move || outputs.drain(rows))
            .map_err(internal)?;
        let done = work(desk, &earlier);
        let outputs = writer
            .join()
            .map_err(|_| internal("the writer panicked"))??;
        let (done, end) = done?;
        let finished = outputs.finish(recipe, &end)?;
        Ok((done, finished))
    })
}

/// Everything between the files and the rows. Taking the desk by value closes the writer's
/// channel at the end.
fn tie_out(
    job: &Job,
    mut found: Found,
    desk: Desk,
    earlier: &Earlier,
) -> Result<((Summary, Option<Learned>), End), EngineError> {
    let (conditions, progress) = (job.conditions, job.progress);
    let mut report = Report::new(desk, earlier);
    report.leave_out_known(&mut found, earlier)?;
    let found = &found;
    let total_bytes = found.bytes();
    report.findings(&found.findings)?;
    let mut options = job.options.clone();
    let new_profiles = profiles::add(found, &mut options.settings, &mut report, earlier)?;
    let mut books = books::load(
        found,
        &options,
        conditions,
        progress,
        total_bytes,
        &mut report,
        earlier,
    )?;
    if job.learns {
        books.session.observe();
    }
    let bank: Vec<&Known> = [Role::Details, Role::BankLines]
        .into_iter()
        .flat_map(|role| found.of(role))
        .collect();
    let mut cash = Cash::new(&mut books.session, conditions, earlier, &report)?;
    if found.of(Role::Details).next().is_none() {
        cash.try_again(&mut report, progress)?;
    }
    let mut admission = Admission::new(&options.recipe, conditions, earlier)?;
    for (place, payments) in &books.payments {
        // Deliveries are told apart by their numbers, which begin with those of the bank's files.
        admission.take_of_books(bank.len() + place, payments, &mut |taken| {
            cash.take(taken, &mut report, progress)
        })?;
    }
    let admission = read(
        &bank,
        &options.settings,
        progress,
        total_bytes,
        admission,
        |message| match message {
            Message::Item(taken) => cash.take(taken, &mut report, progress),
            Message::Done(place, counts) => {
                cash.file_done(bank[place], counts, &mut report, progress)
            }
            Message::Failed(place, finding) => report.failed(bank[place], &finding),
        },
    )?;
    let statements = admission.statements();
    cash.finish(admission.into_arrivals(), &mut report, progress)?;
    for file in found.of(Role::Nothing) {
        books::skip(file, &options.settings, &mut report)?;
    }
    let end = End {
        has_news: found.has_news() || new_profiles,
        repeats: report.repeats,
        known: known_at_cutoff(&books.session, options.as_of, &statements),
    };
    let learned = books.session.learned();
    Ok(((report.finish(found)?, learned), end))
}
