//! Why a command ended with status 1: one line for a person.

/// The reason, as printed on stderr.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A reason; what spans several lines is folded into one.
    pub fn new(reason: impl AsRef<str>) -> Self {
        Self(reason.as_ref().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
    }

    /// A reason with what was being done, for errors that do not say it themselves.
    pub fn of(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Self {
        Self::new(format!("{what}: {error}"))
    }
}

impl From<crate::settings::SettingsError> for Failure {
    fn from(error: crate::settings::SettingsError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<heddle_fault::Fault> for Failure {
    fn from(fault: heddle_fault::Fault) -> Self {
        Self::new(fault.to_string())
    }
}

impl From<heddle_platform::Error> for Failure {
    fn from(error: heddle_platform::Error) -> Self {
        Self::new(error.to_string())
    }
}
