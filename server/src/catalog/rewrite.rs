//! Postgres' SQL as the query engine reads it: names, operators, casts and functions that clients
//! use when they look into the catalog, and what a session knows of itself.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType as SqlType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, LimitClause, ObjectName, ObjectNamePart, Query,
    Select, SelectItem, Statement, TableFactor, Value, ValueWithSpan, VisitMut, VisitorMut,
    visit_relations,
};

use super::emptiness::{self, name_of, null_text};
use super::functions::type_oid;
use super::relations::{catalog_oid, schema_oid};
use super::{Catalog, DATABASE, INFORMATION, PG_CATALOG, layout, rights};
use crate::access::Allowed;
use crate::query::{placeholder, sql_type};
use crate::values::types::oid;
use crate::wire::{Refusal, state};

const TEXT_ARRAY: u32 = 1009;

/// Who asks.
pub struct Asker<'a> {
    /// The user's name.
    pub user: &'a str,
    /// What the user may read.
    pub allowed: Allowed,
    /// The number of the connection.
    pub process: u32,
    /// A setting of the session.
    pub setting: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

/// Rewrites `statement`. `types` are those of its parameters, 0 where unknown; what their place
/// says of them is noted.
///
/// # Errors
/// [`state::UNDEFINED_TABLE`] and the like, if a cast to a `reg...` type names what is not there.
pub fn rewrite(
    statement: &mut Statement,
    catalog: &Catalog,
    asker: &Asker<'_>,
    types: &mut [u32],
) -> Result<(), Refusal> {
    let mut relations = Qualifier;
    let _ = VisitMut::visit(statement, &mut relations);
    let mut rewriter = Rewriter {
        catalog,
        asker,
        types,
        is_about_catalog: is_about_catalog(statement),
    };
    match VisitMut::visit(statement, &mut rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(*refusal),
    }
}

fn is_about_catalog(statement: &Statement) -> bool {
    let found = visit_relations(statement, |name| {
        let is_there = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .any(|part| [PG_CATALOG, INFORMATION].contains(&part.value.as_str()));
        if is_there {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    found.is_break()
}

/// Gives the tables of `pg_catalog` their schema, and `information_schema` the name that it has
/// here.
struct Qualifier;

impl VisitorMut for Qualifier {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            // Functions have no schema.
            name.0.drain(..name.0.len().saturating_sub(1));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|part| part.value.to_lowercase())
            .collect();
        let (schema, table) = match &parts[..] {
            [table] if layout::pg_catalog().iter().any(|one| one.name == table) => {
                (PG_CATALOG, table)
            }
            [.., schema, table] if schema == "information_schema" => (INFORMATION, table),
            [.., schema, table] if schema == PG_CATALOG => (PG_CATALOG, table),
            _ => return ControlFlow::Continue(()),
        };
        *name = ObjectName::from(vec![Ident::new(schema), Ident::new(table)]);
        ControlFlow::Continue(())
    }
}

struct Rewriter<'a> {
    catalog: &'a Catalog,
    asker: &'a Asker<'a>,
    types: &'a mut [u32],
    is_about_catalog: bool,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<Refusal>;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        name_columns(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        if self.is_about_catalog {
            emptiness::simplify(query);
        }
        self.note_limits(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if self.is_about_catalog {
            without_empty(expr);
        }
        if let Expr::InSubquery {
            expr: one,
            subquery,
            negated,
        } = expr
            && is_search_path(subquery)
        {
            *expr = Expr::InList {
                list: self.search_path(),
                expr: one.clone(),
                negated: *negated,
            };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match self.rewritten(expr) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(new)) => {
                *expr = new;
                ControlFlow::Continue(())
            }
            Err(refusal) => ControlFlow::Break(Box::new(refusal)),
        }
    }
}

/// Whether a query takes the search path apart, which dashboards do with arrays in ways that only
/// Postgres has.
fn is_search_path(query: &Query) -> bool {
    let text = query.to_string();
    ["current_setting('search_path')", "string_to_array"]
        .iter()
        .all(|part| text.contains(part))
}

impl Rewriter<'_> {
    /// The schemas in which a name is looked for.
    fn search_path(&self) -> Vec<Expr> {
        let path = (self.asker.setting)("search_path").unwrap_or_default();
        let schemas = path.split(',').map(|schema| match schema.trim() {
            "\"$user\"" => literal(self.asker.user),
            schema => literal(schema.trim_matches('"')),
        });
        schemas.collect()
    }

    fn rewritten(&mut self, expr: &mut Expr) -> Result<Option<Expr>, Refusal> {
        Ok(match expr {
            Expr::Collate { expr, .. } => Some(*expr.clone()),
            Expr::BinaryOp { op, .. } => {
                if let Some(plain) = plain_operator(op) {
                    *op = plain;
                }
                None
            }
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => Some(self.is_in(left, right, false)),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => Some(self.is_in(left, right, true)),
            Expr::Cast {
                expr, data_type, ..
            } => self.cast(expr, data_type)?,
            Expr::Identifier(name) if name.quote_style.is_none() => {
                match name.value.to_lowercase().as_str() {
                    "current_schema" => Some(literal("public")),
                    "session_user" | "user" => Some(literal(self.asker.user)),
                    _ => None,
                }
            }
            Expr::Function(function) => self.function(function),
            Expr::Like {
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                pattern,
                escape_char,
                ..
            } => {
                if let Some(new) = with_backslash(pattern, escape_char.as_ref()) {
                    **pattern = new;
                    *escape_char = None;
                }
                None
            }
            _ => None,
        })
    }

    /// How many rows, and from which on, are numbers.
    fn note_limits(&mut self, query: &Query) {
        let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause else {
            return;
        };
        let offset = offset.as_ref().map(|offset| &offset.value);
        for number in limit.as_ref().into_iter().chain(offset) {
            let known =
                placeholder(number).and_then(|place| self.types.get_mut(place.wrapping_sub(1)));
            if let Some(known) = known.filter(|known| **known == 0 || **known == oid::UNKNOWN) {
                *known = oid::INT8;
            }
        }
    }

    /// `left = any(right)`, as the query engine has it.
    fn is_in(&mut self, left: &Expr, right: &Expr, negated: bool) -> Expr {
        let left = Box::new(left.clone());
        let items = match right {
            Expr::Array(array) => Some(array.elem.clone()),
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) if text.starts_with('{') => {
                let items = text.trim_matches(['{', '}']).split(',');
                Some(items.map(|item| literal(item.trim())).collect())
            }
            _ => None,
        };
        if let Some(list) = items {
            return Expr::InList {
                expr: left,
                list,
                negated,
            };
        }
        if let Expr::Subquery(subquery) = right {
            return Expr::InSubquery {
                expr: left,
                subquery: subquery.clone(),
                negated,
            };
        }
        let mut left = *left;
        let unknown = placeholder(right)
            .and_then(|place| self.types.get_mut(place.wrapping_sub(1)))
            .filter(|known| **known == 0 || **known == oid::UNKNOWN);
        if let Some(known) = unknown {
            // What is sent without a type is text; so is what it is compared with.
            *known = TEXT_ARRAY;
            left = cast(left, SqlType::Text);
        }
        let has = call("array_has", [right.clone(), left]);
        if negated {
            Expr::UnaryOp {
                op: datafusion::sql::sqlparser::ast::UnaryOperator::Not,
                expr: Box::new(has),
            }
        } else {
            has
        }
    }

    fn cast(&self, expr: &Expr, data_type: &mut SqlType) -> Result<Option<Expr>, Refusal> {
        let name = match data_type {
            SqlType::Regclass => "regclass".to_owned(),
            SqlType::Custom(name, _) => name
                .0
                .last()
                .and_then(|part| part.as_ident())
                .map(|part| part.value.to_lowercase())
                .unwrap_or_default(),
            SqlType::Array(_) => {
                let text = data_type.to_string();
                let bare = text.replace("pg_catalog.", "");
                let bare = bare.replace("name[]", "text[]").replace("oid[]", "int[]");
                if let Some(plain) = sql_type(&bare) {
                    *data_type = plain;
                }
                return Ok(None);
            }
            _ => return Ok(None),
        };
        let text = match expr {
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) => Some(text.as_str()),
            _ => None,
        };
        if let Some(number) = text.and_then(|text| text.parse::<u32>().ok())
            && name.starts_with("reg")
        {
            return Ok(Some(number_literal(number)));
        }
        let is_parameter = placeholder(inner(expr)).is_some();
        let arg = expr.clone();
        Ok(Some(match (name.as_str(), text) {
            ("regclass", Some(text)) => {
                let relation = self.catalog.relations.named(text);
                let known = relation.map(|relation| relation.oid);
                number_literal(known.or_else(|| catalog_oid(text)).ok_or_else(|| {
                    let found = format!("there is no table {text}");
                    Refusal::new(state::UNDEFINED_TABLE, found)
                })?)
            }
            ("regtype", Some(text)) => number_literal(type_oid(text).ok_or_else(|| {
                Refusal::new(state::UNDEFINED_OBJECT, format!("there is no type {text}"))
            })?),
            ("regnamespace", Some(text)) => number_literal(schema_oid(text).ok_or_else(|| {
                Refusal::new(
                    state::UNDEFINED_OBJECT,
                    format!("there is no schema {text}"),
                )
            })?),
            ("regclass", None) if is_parameter => call("to_regclass", [arg]),
            ("regtype", None) if is_parameter => call("to_regtype", [arg]),
            ("regclass", None) => call("regclass_name", [arg]),
            ("regtype", None) => call("format_type", [arg, null()]),
            ("regnamespace", None) => call("regnamespace_name", [arg]),
            ("oid" | "xid" | "cid", _) => cast(arg, SqlType::BigInt(None)),
            ("name" | "char" | "bpchar" | "regproc" | "json" | "jsonb" | "uuid" | "inet", _) => {
                cast(arg, SqlType::Text)
            }
            (other, _) => match sql_type(other) {
                Some(SqlType::Custom(..)) | None => return Ok(None),
                Some(plain) => cast(arg, plain),
            },
        }))
    }

    /// A function without its schema; what a session knows of itself as a value.
    fn function(&self, function: &mut Function) -> Option<Expr> {
        let name = function.name.0.last()?.as_ident()?.value.to_lowercase();
        if function.name.0.len() > 1 {
            function.name = ObjectName::from(vec![Ident::new(&name)]);
        }
        let first = first_text(function);
        Some(match name.as_str() {
            "current_user" | "session_user" | "user" | "current_role" => literal(self.asker.user),
            "current_database" | "current_catalog" => literal(DATABASE),
            "current_schema" => literal("public"),
            "pg_backend_pid" => number_literal(self.asker.process),
            "current_setting" => {
                (self.asker.setting)(&first?).map_or_else(null_text, |value| literal(&value))
            }
            // Its rows would be those of options and rights, of which there are none.
            "array"
                if self.is_about_catalog
                    && matches!(function.args, FunctionArguments::Subquery(_)) =>
            {
                null_text()
            }
            "has_table_privilege" | "has_column_privilege" | "has_any_column_privilege" => {
                rights::asked(&name, function, &self.asker.allowed)?
            }
            "set_config" => {
                let args = arguments(function);
                args.get(1).copied().cloned().unwrap_or_else(null_text)
            }
            _ => return None,
        })
    }
}

/// Names for columns that have none, as Postgres gives them; numbered where they would be the
/// same, which the query engine refuses.
fn name_columns(select: &mut Select) {
    let mut taken: HashSet<String> = HashSet::new();
    for item in &select.projection {
        if let SelectItem::ExprWithAlias { alias, .. } = item {
            taken.insert(alias.value.clone());
        }
    }
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let name = name_of(expr);
        let is_named_by_itself = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if taken.insert(name.clone()) {
            if is_named_by_itself {
                continue;
            }
        } else if is_named_by_itself {
            // `a.id, b.id`: their tables tell them apart, unless it is twice the same.
            if !taken.insert(expr.to_string()) {
                let alias = numbered(&name, &mut taken);
                *item = named(expr, alias);
            }
            continue;
        }
        let alias = if taken.contains(&format!("{name}#")) {
            numbered(&name, &mut taken)
        } else {
            taken.insert(format!("{name}#"));
            name
        };
        *item = named(expr, alias);
    }
}

fn numbered(name: &str, taken: &mut HashSet<String>) -> String {
    let free = (2..).map(|number| format!("{name}_{number}"));
    let mut free = free.filter(|candidate| !taken.contains(candidate));
    let alias = free.next().unwrap_or_default();
    taken.insert(alias.clone());
    alias
}

fn named(expr: &Expr, alias: String) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias: Ident::with_quote('"', alias),
    }
}

/// Subqueries that never have rows, as what they come to; others so that they can be planned.
fn without_empty(expr: &mut Expr) {
    let truth = |truth: bool| Expr::Value(Value::Boolean(truth).into());
    let new = match expr {
        Expr::Subquery(query) if !emptiness::is_empty(query) => {
            emptiness::aggregate(query);
            return;
        }
        Expr::Subquery(_) => null_text(),
        Expr::Exists { subquery, negated } if emptiness::is_empty(subquery) => truth(*negated),
        Expr::InSubquery {
            subquery, negated, ..
        } if emptiness::is_empty(subquery) => truth(*negated),
        _ => return,
    };
    *expr = new;
}

/// `operator(pg_catalog.~)` as `~`.
fn plain_operator(operator: &BinaryOperator) -> Option<BinaryOperator> {
    let BinaryOperator::PGCustomBinaryOperator(words) = operator else {
        return None;
    };
    Some(match words.last()?.as_str() {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        ">" => BinaryOperator::Gt,
        "<=" => BinaryOperator::LtEq,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        _ => return None,
    })
}

/// A pattern whose escape is another character than the backslash, with the backslash.
fn with_backslash(pattern: &Expr, escape: Option<&ValueWithSpan>) -> Option<Expr> {
    /// No pattern has it.
    const STAND_IN: &str = "\u{1}";
    let escape = match &escape?.value {
        Value::SingleQuotedString(text) if text != "\\" => text,
        _ => return None,
    };
    let replace =
        |expr: Expr, from: &str, to: &str| call("replace", [expr, literal(from), literal(to)]);
    let pattern = replace(pattern.clone(), "\\", "\\\\");
    let pattern = replace(pattern, &escape.repeat(2), STAND_IN);
    let pattern = replace(pattern, escape, "\\");
    Some(replace(pattern, STAND_IN, escape))
}

fn inner(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => inner(expr),
        other => other,
    }
}

/// The arguments of a function that are expressions.
pub fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let args = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    args.collect()
}

fn first_text(function: &Function) -> Option<String> {
    match arguments(function).first() {
        Some(Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        })) => Some(text.clone()),
        _ => None,
    }
}

/// A text.
pub fn literal(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn number_literal(number: u32) -> Expr {
    Expr::Value(Value::Number(number.to_string(), false).into())
}

fn cast(expr: Expr, data_type: SqlType) -> Expr {
    Expr::Cast {
        kind: datafusion::sql::sqlparser::ast::CastKind::Cast,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    }
}

/// A call of a function.
pub fn call<const ARGS: usize>(name: &str, args: [Expr; ARGS]) -> Expr {
    let args = args.map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
