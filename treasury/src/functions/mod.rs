//! Functions that analysts expect, by the same code as the matcher's where it has it.

mod codes;
mod days;
mod ends;
mod rates;
mod scalar;
mod templates;
mod texts;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub(crate) use ends::ends;
pub(crate) use rates::{LOAD as LOAD_RATES, Rates};
pub use scalar::FunctionWords;

use scalar::Function;

/// Every scalar function, with the rates that `convert` and its kin use.
pub(crate) fn scalar_functions(rates: &Arc<Rates>) -> Vec<ScalarUDF> {
    let of_rates = rates::functions(rates);
    plain()
        .into_iter()
        .chain(of_rates)
        .map(ScalarUDF::from)
        .chain(templates::functions())
        .collect()
}

fn plain() -> Vec<Function> {
    let mut functions = texts::functions();
    functions.extend(codes::functions());
    functions.extend(days::functions());
    functions
}

/// What each function is called with and what it gives.
pub fn functions() -> Vec<FunctionWords> {
    let all = plain().into_iter().chain(rates::functions(&Arc::default()));
    all.map(|function| function.words()).collect()
}
