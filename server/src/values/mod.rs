//! Values as the protocol has them: columns out, parameters in, each as text or binary.

mod encode;
mod numeric;
mod parameter;
pub mod types;

pub use encode::{Cells, columns};
pub use parameter::{parameter, split_array};
