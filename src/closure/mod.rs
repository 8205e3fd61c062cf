//! What an agent drags along: the members of its closure, how they are resolved, and which closures a change reaches.
