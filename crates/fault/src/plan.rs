//! What shall happen where, read from `HEDDLE_FAILPOINTS`.

use crate::POINTS;
use std::collections::HashMap;

/// What happens at a failpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// The process ends at once.
    Kill,
    /// The place fails.
    Error,
    /// The thread or task panics.
    Panic,
    /// So many milliseconds pass.
    Delay(u64),
}

impl Action {
    /// Its name without its number.
    #[cfg(feature = "failpoints")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Delay(_) => "delay",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "kill" => Some(Self::Kill),
            "error" => Some(Self::Error),
            "panic" => Some(Self::Panic),
            _ => text.strip_prefix("delay(")?.strip_suffix(')')?.parse().ok().map(Self::Delay),
        }
    }
}

/// An action and at which visit it strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Strike {
    pub(crate) action: Action,
    /// `None`: at each.
    pub(crate) at: Option<u64>,
}

/// Reads the whole text; the error names the part that is wrong.
pub(crate) fn parse(text: &str) -> Result<HashMap<&'static str, Strike>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| entry(part).ok_or_else(|| format!("{part:?} is not NAME=ACTION or NAME=ACTION@VISIT"))).collect()
}

fn entry(part: &str) -> Option<(&'static str, Strike)> {
    let (name, what) = part.split_once('=')?;
    let point = POINTS.iter().find(|point| point.name == name)?;
    let (action, at) = match what.split_once('@') {
        Some((action, at)) => (action, Some(at.parse().ok().filter(|at| *at > 0)?)),
        None => (what, None),
    };
    let action = Action::parse(action).filter(|action| point.fails || *action != Action::Error)?;
    Some((point.name, Strike { action, at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_places_actions_and_visits() {
        let plan = parse("store.commit.before=kill@3, serve.ready=delay(50),admin.answer=error,").unwrap();
        assert_eq!(plan["store.commit.before"], Strike { action: Action::Kill, at: Some(3) });
        assert_eq!(plan["serve.ready"], Strike { action: Action::Delay(50), at: None });
        assert_eq!(plan["admin.answer"], Strike { action: Action::Error, at: None });
        assert_eq!(plan.len(), 3);
    }

    #[test]
    fn a_plan_that_cannot_be_is_refused() {
        for bad in ["nowhere=kill", "serve.ready", "serve.ready=error", "serve.locked=kill@0", "serve.locked=delay"] {
            assert!(parse(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
