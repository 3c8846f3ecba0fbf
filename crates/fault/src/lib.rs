//! Failpoints: named places where a test may kill, delay, panic or fail the process.
//!
//! A place is marked with [`point!`] where an error can be handed on, and with [`pass!`] where it cannot. Every name is
//! listed in [`POINTS`], once, and used in the source once; a name that is not listed does not compile. Without the
//! feature `failpoints` a mark is no code at all. This crate knows nothing of what it breaks.
//!
//! A build with the feature reads two variables:
//! - `HEDDLE_FAILPOINTS="store.commit.before=kill@3,serve.locked=delay(50)"`: what happens where; `@3` means at the third
//!   visit only, without it at each. Actions are `kill` (the process is gone: nothing is unwound or written out), `error`,
//!   `panic` and `delay(MILLISECONDS)`.
//! - `HEDDLE_FAILPOINTS_HITS=FILE`: gets a line `NAME visit` at the first visit of a place and `NAME kill` (or what it
//!   was) before each strike.

#[cfg(any(feature = "failpoints", test))]
mod plan;
mod points;
#[cfg(feature = "failpoints")]
mod strike;

pub use points::{POINTS, Point, is_known};
#[cfg(feature = "failpoints")]
pub use strike::{pass, visit};

/// What a failpoint fails with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault(
    /// The failpoint's name.
    pub &'static str,
);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "failpoint {}", self.0)
    }
}

impl std::error::Error for Fault {}

/// A place that may fail: a `Result<(), Fault>`.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! point {
    ($name:literal) => {{
        const { assert!($crate::is_known($name, true), "list the failpoint in heddle_fault::POINTS as one that may fail") }
        $crate::visit($name)
    }};
}

/// A place that may fail: a `Result<(), Fault>`, here always `Ok`.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! point {
    ($name:literal) => {{
        const { assert!($crate::is_known($name, true), "list the failpoint in heddle_fault::POINTS as one that may fail") }
        Ok::<(), $crate::Fault>(())
    }};
}

/// A place that has nobody to hand an error to.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! pass {
    ($name:literal) => {{
        const {
            assert!(
                $crate::is_known($name, false),
                "list the failpoint in heddle_fault::POINTS as one that cannot fail"
            )
        }
        $crate::pass($name)
    }};
}

/// A place that has nobody to hand an error to, here nothing.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! pass {
    ($name:literal) => {{
        const {
            assert!(
                $crate::is_known($name, false),
                "list the failpoint in heddle_fault::POINTS as one that cannot fail"
            )
        }
    }};
}
