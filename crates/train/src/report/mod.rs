//! A run as one page with curves: loss, evaluation, rate, norm of the gradient and speed, with nothing that is loaded from elsewhere.

mod chart;
mod page;
mod ticks;

pub use page::page;
