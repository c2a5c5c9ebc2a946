//! A recipe's SQL, compiled once and asked batch by batch. A recipe without SQL asks nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::and;
use tieout_core::Channel;
use tieout_core::schema::Table;
use tieout_matcher::{Answers, Recipe, RecipeError, Source, Sql, Weights};
use tieout_treasury::{Condition, Expressions, QueryError, TextExpression};

use crate::EngineError;
use crate::intake::{arrow, column};

/// Reads a recipe and checks it whole, its SQL too.
///
/// # Errors
/// A [`RecipeError`] that points at the line.
pub fn read_recipe(text: &str) -> Result<Recipe, RecipeError> {
    read_recipe_in(text, Path::new(""))
}

/// The same for a recipe that lies in `folder`, where the weights file is that it may name.
///
/// # Errors
/// A [`RecipeError`] that points at the line.
pub fn read_recipe_in(text: &str, folder: &Path) -> Result<Recipe, RecipeError> {
    let mut recipe = Recipe::parse(text)?;
    Conditions::compile(&recipe)?;
    if let Some(name) = recipe.weights_file() {
        let path = folder.join(name);
        let weights = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| Weights::parse(&text).map_err(|error| error.to_string()))
            .map_err(|error| recipe.weights_error(format!("{}: {error}", path.display())))?;
        recipe.set_weights(weights);
    }
    Ok(recipe)
}

/// The SQL of one recipe.
pub struct Conditions {
    from: Vec<Source>,
    is_asked: bool,
    payments: Option<Asked<Condition>>,
    reversals: Option<Asked<Condition>>,
    rules: Vec<Option<Asked<Condition>>>,
    overrides: Vec<Option<Asked<Condition>>>,
    party: Option<Asked<TextExpression>>,
    references: Option<Asked<TextExpression>>,
    items: Option<Asked<Condition>>,
    item_party: Option<Asked<TextExpression>>,
}

/// A compiled expression and the field that it stands in.
struct Asked<T> {
    compiled: T,
    field: String,
}

impl<T> Asked<T> {
    fn failed(&self, error: &QueryError) -> EngineError {
        EngineError::Condition {
            field: self.field.clone(),
            error: error.to_string(),
        }
    }
}

/// Compiles expressions; what compiles is made when the first is met, because it takes its time.
struct Compiler<'a> {
    recipe: &'a Recipe,
    expressions: Option<Expressions>,
}

impl Compiler<'_> {
    fn compile<T>(
        &mut self,
        sql: Option<&Sql>,
        with: impl FnOnce(&Expressions, &str) -> Result<T, QueryError>,
    ) -> Result<Option<Asked<T>>, RecipeError> {
        let Some(sql) = sql else { return Ok(None) };
        let expressions = self.expressions.get_or_insert_with(Expressions::new);
        let compiled = with(expressions, &sql.text)
            .map_err(|error| self.recipe.error_in(sql, &error.to_string()))?;
        Ok(Some(Asked {
            compiled,
            field: sql.field.clone(),
        }))
    }

    fn condition(
        &mut self,
        sql: Option<&Sql>,
        table: Table,
    ) -> Result<Option<Asked<Condition>>, RecipeError> {
        self.compile(sql, |with, text| with.condition(text, &table.schema()))
    }

    fn text(
        &mut self,
        sql: Option<&Sql>,
        table: Table,
    ) -> Result<Option<Asked<TextExpression>>, RecipeError> {
        self.compile(sql, |with, text| with.text(text, &table.schema()))
    }
}

impl Conditions {
    /// Compiles the SQL of `recipe`.
    ///
    /// # Errors
    /// A [`RecipeError`] that points at the line of what is no SQL, or is of the wrong type.
    pub fn compile(recipe: &Recipe) -> Result<Self, RecipeError> {
        let mut compiler = Compiler {
            recipe,
            expressions: None,
        };
        let (lines, items) = (Table::Transactions, Table::OpenItems);
        let side = &recipe.payments;
        let mut rules = Vec::with_capacity(recipe.rules.len());
        for rule in &recipe.rules {
            rules.push(compiler.condition(rule.when.as_ref(), lines)?);
        }
        let mut overrides = Vec::with_capacity(recipe.overrides.len());
        for all in &recipe.overrides {
            overrides.push(compiler.condition(all.when.as_ref(), lines)?);
        }
        Ok(Self {
            from: side.from.clone(),
            is_asked: recipe.has_conditions(),
            payments: compiler.condition(side.filter.as_ref(), lines)?,
            reversals: compiler.condition(recipe.reversals.filter.as_ref(), lines)?,
            rules,
            overrides,
            party: compiler.text(side.party.as_ref(), lines)?,
            references: compiler.text(side.references.as_ref(), lines)?,
            items: compiler.condition(recipe.items.filter.as_ref(), items)?,
            item_party: compiler.text(recipe.items.party.as_ref(), items)?,
        })
    }

    /// Whether the rows of `source` are payments.
    pub fn pays_from(&self, source: Source) -> bool {
        self.from.contains(&source)
    }

    /// Whether the items' parties are those of a parties file: not where the recipe says whom
    /// rows are with.
    pub fn names_parties(&self) -> bool {
        self.party.is_none() && self.item_party.is_none()
    }

    /// What the conditions say of `lines`, rows of the table `transactions`; none where nothing
    /// is asked.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value cannot be computed.
    pub fn answers(&self, lines: &RecordBatch) -> Result<Option<Answers>, EngineError> {
        if !self.is_asked {
            return Ok(None);
        }
        let each = |asked: &[Option<Asked<Condition>>]| {
            asked
                .iter()
                .map(|asked| answer(asked.as_ref(), lines))
                .collect::<Result<_, _>>()
        };
        Ok(Some(Answers {
            payments: Some(self.takes_lines(lines)?),
            reversals: answer(self.reversals.as_ref(), lines)?,
            rules: each(&self.rules)?,
            overrides: each(&self.overrides)?,
        }))
    }

    /// Which of `lines` are payments: those of the sources that the recipe names, and of them
    /// those that `payments.where` takes.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value cannot be computed.
    pub fn takes_lines(&self, lines: &RecordBatch) -> Result<BooleanArray, EngineError> {
        let channels: &StringArray = column(lines, Table::Transactions.column("channel"))?;
        let from: BooleanArray = channels
            .iter()
            .map(|channel| {
                let source = match channel.and_then(Channel::from_code) {
                    Some(Channel::Processor) => Source::SettlementLines,
                    Some(Channel::Books) => Source::OpenItems,
                    _ => Source::Transactions,
                };
                Some(self.pays_from(source))
            })
            .collect();
        match answer(self.payments.as_ref(), lines)? {
            None => Ok(from),
            Some(taken) => and(&from, &taken).map_err(arrow),
        }
    }

    /// The lines as they are matched: with whom the recipe says, and its references.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value cannot be computed.
    pub fn lines_as_matched(&self, lines: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let table = Table::Transactions;
        let lines = replaced(lines, self.party.as_ref(), table.column("customer_number"))?;
        let text = table.column("remittance_text");
        replaced(&lines, self.references.as_ref(), text)
    }

    /// Which of `items`, rows of the table `open_items`, are taken; none where all are.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value cannot be computed.
    pub fn takes_items(&self, items: &RecordBatch) -> Result<Option<BooleanArray>, EngineError> {
        answer(self.items.as_ref(), items)
    }

    /// The items as they are matched: with whom the recipe says.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value cannot be computed.
    pub fn items_as_matched(&self, items: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let place = Table::OpenItems.column("party_id");
        replaced(items, self.item_party.as_ref(), place)
    }
}

fn answer(
    asked: Option<&Asked<Condition>>,
    rows: &RecordBatch,
) -> Result<Option<BooleanArray>, EngineError> {
    let Some(asked) = asked else { return Ok(None) };
    let answers = asked.compiled.evaluate(rows);
    answers.map(Some).map_err(|error| asked.failed(&error))
}

/// The rows with what is asked in the column at `place`.
fn replaced(
    rows: &RecordBatch,
    asked: Option<&Asked<TextExpression>>,
    place: usize,
) -> Result<RecordBatch, EngineError> {
    let Some(asked) = asked else {
        return Ok(rows.clone());
    };
    let texts = asked.compiled.evaluate(rows);
    let texts = texts.map_err(|error| asked.failed(&error))?;
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    columns[place] = Arc::new(texts);
    RecordBatch::try_new(rows.schema(), columns).map_err(arrow)
}
