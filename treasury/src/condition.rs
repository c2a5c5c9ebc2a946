//! SQL expressions over the rows of one table: conditions of recipes, compiled once and
//! evaluated batch by batch.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use crate::QueryError;
use crate::error::Clerk;
use crate::extent::check_expression;

/// Compiles expressions.
pub struct Expressions {
    context: SessionContext,
}

impl Default for Expressions {
    fn default() -> Self {
        Self::new()
    }
}

impl Expressions {
    /// No expression yet.
    pub fn new() -> Self {
        let config = SessionConfig::new()
            // Numbers written in an expression stay exact beside amounts.
            .set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
        Self {
            context: SessionContext::new_with_config(config),
        }
    }

    /// The condition `sql` over rows of `schema`.
    ///
    /// # Errors
    /// A [`QueryError`] if the text is no SQL expression, is too long, names a column that is not
    /// there, does not type-check, is not true or false, or depends on anything but the row.
    pub fn condition(&self, sql: &str, schema: &SchemaRef) -> Result<Condition, QueryError> {
        let (compiled, data_type) = self.compile(sql, schema)?;
        if data_type != DataType::Boolean {
            let found = format!("it is {data_type}, expected a condition that is true or false");
            return Err(QueryError::Refused(found));
        }
        Ok(Condition(compiled))
    }

    /// The text `sql` over rows of `schema`.
    ///
    /// # Errors
    /// A [`QueryError`] as of [`Expressions::condition`], for an expression that is not text.
    pub fn text(&self, sql: &str, schema: &SchemaRef) -> Result<TextExpression, QueryError> {
        let (compiled, data_type) = self.compile(sql, schema)?;
        let is_text = matches!(
            data_type,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        );
        if !is_text {
            let found = format!("it is {data_type}, expected text");
            return Err(QueryError::Refused(found));
        }
        Ok(TextExpression(compiled))
    }

    fn compile(
        &self,
        sql: &str,
        schema: &SchemaRef,
    ) -> Result<(Arc<dyn PhysicalExpr>, DataType), QueryError> {
        check_expression(sql, &GenericDialect {})?;
        let compiled = || {
            let schema = DFSchema::try_from(Arc::clone(schema))?;
            let expression = self.context.parse_sql_expr(sql, &schema)?;
            depends_on_the_row_alone(&expression)?;
            let data_type = expression.get_type(&schema)?;
            let compiled = self.context.create_physical_expr(expression, &schema)?;
            Ok((compiled, data_type))
        };
        compiled().map_err(|error| explain(&error))
    }
}

/// Refuses what a row cannot answer by itself: the clock, chance, other rows.
fn depends_on_the_row_alone(expression: &Expr) -> Result<(), DataFusionError> {
    let mut found = None;
    expression.apply(|part| {
        found = match part {
            Expr::ScalarFunction(call)
                if call.func.signature().volatility != Volatility::Immutable =>
            {
                Some(format!("{}() is not the same on every day", call.name()))
            }
            Expr::AggregateFunction(call) => Some(format!(
                "{}() is of many rows, and a condition is about one",
                call.func.name()
            )),
            Expr::WindowFunction(_) => Some("a window is of many rows".to_owned()),
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => {
                Some("a condition asks no other table".to_owned())
            }
            Expr::Placeholder(_) => Some("$1 stands for nothing here".to_owned()),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Ok(TreeNodeRecursion::Stop)
    })?;
    match found {
        None => Ok(()),
        Some(found) => Err(DataFusionError::Execution(found)),
    }
}

fn explain(error: &DataFusionError) -> QueryError {
    Clerk {
        memory_bytes: 0,
        seconds: 0,
    }
    .explain(error)
}

fn evaluate(
    compiled: &Arc<dyn PhysicalExpr>,
    rows: &RecordBatch,
    wanted: &DataType,
) -> Result<Arc<dyn Array>, QueryError> {
    let evaluated = || {
        let values = compiled.evaluate(rows)?.into_array(rows.num_rows())?;
        Ok(cast(&values, wanted)?)
    };
    evaluated().map_err(|error: DataFusionError| explain(&error))
}

fn unexpected() -> QueryError {
    QueryError::Refused("the answer is of another type than was promised".to_owned())
}

/// A condition that a row meets or not.
#[derive(Clone, Debug)]
pub struct Condition(Arc<dyn PhysicalExpr>);

impl Condition {
    /// One answer a row; null where a value that decides is missing.
    ///
    /// # Errors
    /// A [`QueryError`] if a value cannot be computed (a division by zero, a text that is no
    /// number), or if `rows` are not of the schema that the condition was compiled for.
    pub fn evaluate(&self, rows: &RecordBatch) -> Result<BooleanArray, QueryError> {
        let values = evaluate(&self.0, rows, &DataType::Boolean)?;
        let answers = values.as_any().downcast_ref::<BooleanArray>();
        answers.cloned().ok_or_else(unexpected)
    }
}

/// A text made of a row's values.
#[derive(Clone, Debug)]
pub struct TextExpression(Arc<dyn PhysicalExpr>);

impl TextExpression {
    /// One text a row, or null.
    ///
    /// # Errors
    /// A [`QueryError`] as of [`Condition::evaluate`].
    pub fn evaluate(&self, rows: &RecordBatch) -> Result<StringArray, QueryError> {
        let values = evaluate(&self.0, rows, &DataType::Utf8)?;
        let texts = values.as_any().downcast_ref::<StringArray>();
        texts.cloned().ok_or_else(unexpected)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Decimal128Array, StringArray};
    use arrow::datatypes::{Field, Schema};
    use tieout_core::schema::AMOUNT_TYPE;

    use super::*;

    fn rows() -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("amount", AMOUNT_TYPE, false),
            Field::new("account", DataType::Utf8, true),
        ]);
        let units = [100_000, 1_000_000_100, 1_000_000_000];
        let amounts = Decimal128Array::from_iter_values(units).with_data_type(AMOUNT_TYPE);
        let accounts = StringArray::from(vec![Some("4012"), None, Some("77")]);
        RecordBatch::try_new(
            Arc::new(schema),
            vec![Arc::new(amounts), Arc::new(accounts)],
        )
        .unwrap()
    }

    #[test]
    fn conditions_answer_row_by_row_and_exactly() {
        let rows = rows();
        let of = |sql: &str| {
            let condition = Expressions::new().condition(sql, &rows.schema()).unwrap();
            let answers = condition.evaluate(&rows).unwrap();
            answers.iter().collect::<Vec<_>>()
        };
        assert_eq!(
            of("amount > 10000.000"),
            [Some(false), Some(true), Some(false)]
        );
        assert_eq!(of("account = '4012'"), [Some(true), None, Some(false)]);
        assert_eq!(of("true"), [Some(true); 3]);
    }

    #[test]
    fn texts_are_made_of_columns() {
        let rows = rows();
        let text = Expressions::new().text("concat_ws(' ', account, 'x')", &rows.schema());
        let texts = text.unwrap().evaluate(&rows).unwrap();
        let texts: Vec<_> = texts.iter().flatten().collect();
        assert_eq!(texts, ["4012 x", "x", "77 x"]);
    }

    #[test]
    fn long_expressions_are_read_or_refused() {
        let rows = rows();
        let chain = |terms: usize| vec!["account = '77'"; terms].join(" or ");
        // 250 terms have 250 equal signs and 249 ors.
        let condition = Expressions::new().condition(&chain(250), &rows.schema());
        let answers = condition.unwrap().evaluate(&rows).unwrap();
        assert!(answers.value(2));
        for terms in [251, 1_500, 50_000] {
            let refused = Expressions::new().condition(&chain(terms), &rows.schema());
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("more than 500 operators in one expression; take a list"),
                "{refused}"
            );
        }
        let listed = vec!["'77'"; 1_500].join(", ");
        let condition =
            Expressions::new().condition(&format!("account in ({listed})"), &rows.schema());
        assert!(condition.unwrap().evaluate(&rows).unwrap().value(2));
        let text = vec!["account"; 1_500].join(" || ");
        let refused = Expressions::new().text(&text, &rows.schema()).unwrap_err();
        assert!(matches!(refused, QueryError::TooLong(_)), "{refused}");
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_reason() {
        let rows = rows();
        let refused = |sql: &str| {
            let compiled = Expressions::new().condition(sql, &rows.schema());
            compiled.unwrap_err().to_string()
        };
        for (sql, says) in [
            ("amount >", "cannot be read"),
            ("amount > 5 and", "cannot be read"),
            ("amount > 5; drop table payments", "cannot be read"),
            ("amont > 5", "did you mean amount"),
            ("amount", "expected a condition"),
            (
                "account + 5 > amount and account like 5 + true",
                "no answer",
            ),
            ("now() > to_date('2026-01-01')", "not the same on every day"),
            ("random() > 0.5", "not the same on every day"),
            ("sum(amount) > 5", "many rows"),
            ("amount > $1", "stands for nothing"),
        ] {
            let error = refused(sql);
            assert!(error.contains(says), "{sql}: {error}");
        }
        assert!(
            Expressions::new()
                .text("amount > 5", &rows.schema())
                .is_err()
        );
    }
}
