//! `tieout recipes`, and the choice of one for a run.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tieout::{
    EngineError, NoProgress, RECIPES, Recipe, RecipeError, RunOptions, Source, read_recipe,
    read_recipe_in,
};

use crate::Outcome;
use crate::arguments::{LearnArguments, RecipesArguments, RecipesCommand};
use crate::failure::Failure;
use crate::terminal::{Paint, WIDTH, wrap};
use crate::whole_file::write_out;

const NAME_WIDTH: usize = 26;

/// Lists the shipped recipes with what they are for, or prints one.
pub fn recipes(arguments: &RecipesArguments) -> Result<Outcome, Failure> {
    if let Some(RecipesCommand::Learn(arguments)) = &arguments.command {
        return learn(arguments);
    }
    let mut out = io::stdout().lock();
    match &arguments.name {
        Some(name) => out.write_all(text(name)?.as_bytes())?,
        None => {
            for &(name, text) in RECIPES {
                let recipe = read_recipe(text).map_err(|error| unusable(name, &error))?;
                list(&recipe, &mut out)?;
            }
        }
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Learns weights from files, and writes them as a file that a recipe can name.
fn learn(arguments: &LearnArguments) -> Result<Outcome, Failure> {
    let mut options = RunOptions::new(arguments.paths.clone());
    if let Some(recipe) = &arguments.recipe {
        options.recipe = chosen(recipe)?;
    }
    let learned = tieout::learn(&options, &NoProgress)?;
    let about = format!(
        "What each kind of evidence weighs, in bits of log-odds.\n\
         Learned by `tieout recipes learn` from {} answers to {} payments, in {} rounds.",
        learned.answers, learned.payments, learned.rounds
    );
    let text = learned.weights.to_toml(&about);
    write_out(arguments.out.as_deref(), |out| {
        out.write_all(text.as_bytes()).map_err(EngineError::Answer)
    })?;
    Ok(Outcome::Clean)
}

fn list(recipe: &Recipe, out: &mut impl Write) -> io::Result<()> {
    let paint = Paint::of_stdout();
    let name = format!("{:<NAME_WIDTH$}", recipe.label());
    let about = format!("{}. {}", recipe.about, sides(recipe));
    let lines = wrap(&about, WIDTH - NAME_WIDTH);
    let indented = lines.join(&format!("\n{:NAME_WIDTH$}", ""));
    writeln!(out, "{}{indented}", paint.heading(&name))
}

/// The two sides in words: which rows pay which kinds of item.
fn sides(recipe: &Recipe) -> String {
    let payments = &recipe.payments;
    let direction = match (payments.credits, payments.debits) {
        (true, false) => "Credits",
        (false, true) => "Debits",
        _ => "Credits and debits",
    };
    let sources = |from: &[Source]| {
        let names = from.iter().map(|source| match source {
            Source::Transactions => "transactions",
            Source::SettlementLines => "settlement_lines",
            Source::OpenItems => "open_items",
        });
        names.collect::<Vec<_>>().join(" and ")
    };
    let items = &recipe.items;
    let credits = items.paid_by_credits.iter().filter(|_| payments.credits);
    let debits = items.paid_by_debits.iter().filter(|_| payments.debits);
    let mut kinds: Vec<_> = credits.chain(debits).map(|kind| kind.code()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    format!(
        "{direction} of {} against {} of {}",
        sources(&payments.from),
        kinds.join(", "),
        sources(&items.from)
    )
}

/// The recipe that a run names: a shipped one, or that of a file.
pub fn chosen(chosen: &Path) -> Result<Recipe, Failure> {
    if let Some(name) = chosen.to_str()
        && let Ok(text) = text(name)
    {
        return read_recipe(text).map_err(|error| unusable(name, &error));
    }
    if !chosen.exists() {
        let name = chosen.display();
        return Err(Failure::with_action(
            format!("no recipe {name}: it is neither shipped nor a file"),
            format!("give a TOML file, or one of {}", names()),
        ));
    }
    let text = fs::read_to_string(chosen).map_err(|error| Failure::unreadable(chosen, &error))?;
    let name = chosen.display().to_string();
    let folder = chosen.parent().unwrap_or(Path::new(""));
    read_recipe_in(&text, folder).map_err(|error| unusable(&name, &error))
}

fn text(name: &str) -> Result<&'static str, Failure> {
    let found = RECIPES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        Failure::with_action(
            format!("no recipe {name} is shipped"),
            format!("give one of {}", names()),
        )
    })
}

fn names() -> String {
    let names: Vec<_> = RECIPES.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn unusable(name: &str, error: &RecipeError) -> Failure {
    Failure::with_action(
        format!("recipe {name}: {error}"),
        "correct it, or leave --recipe away to use the shipped recipe",
    )
}
