//! The agents of `examples/`, built in so that the first start has something to run.

use heddle_model::Value;

/// One sample agent.
pub struct Sample {
    /// Its agent file.
    pub file: &'static str,
    /// Inputs and the outputs they give, the first for the curl line.
    pub cases: &'static str,
}

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(Sample {
            file: include_str!(concat!("../../../examples/", $name, ".json")),
            cases: include_str!(concat!("../../../examples/", $name, ".cases.json")),
        }),*]
    };
}

/// All of them, the simplest first.
pub static SAMPLES: &[Sample] =
    samples!["invoice-total", "welcome-letter", "shopping-list", "parcel-desk", "quote-for-a-group", "log-digest",];

impl Sample {
    /// The agent file.
    pub fn agent(&self) -> Value {
        serde_json::from_str(self.file).expect("the samples are JSON")
    }

    /// The inputs of its first case.
    pub fn inputs(&self) -> Value {
        let mut cases: Value = serde_json::from_str(self.cases).expect("the cases are JSON");
        cases[0]["inputs"].take()
    }
}
