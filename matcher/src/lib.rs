//! matcher
mod names;
mod recipe;
mod reference;

pub use recipe::{Recipe, RecipeError};
