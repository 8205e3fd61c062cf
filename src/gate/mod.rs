//! May it pass: requirement, evidence, verdict. Every gate always runs.
