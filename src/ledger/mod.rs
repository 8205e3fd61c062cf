//! Git: refs, objects, signatures, and the one way anything is written.
