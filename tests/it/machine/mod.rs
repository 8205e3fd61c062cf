//! Random honest lives of a ledger, beside a plain model of it: after every command the two agree on what each
//! environment runs and holds, and on every number; at the end the ledger proves itself. Some commands are killed on
//! their way, at any call that changes a file: then the ledger is as the model was before that command, or as it is
//! after it, and the next command heals what is left.
//!
//! Two agents, two tools, two policies. What an agent names is told by its content: `a` names tool `t` and policy
//! `p`, and an odd content tool `u` too; `b` names `u`, and an odd content `t` too. Policy `q` selects `a`. Alice,
//! Bob and Dave work, Bob under one key after another, and Carol, who holds the key of `ci`, approves and rejects.
//! `JOCH_LIVES=200` leads as many other lives, two at once for each processor.

mod lives;
mod model;
mod steps;
mod tally;
mod world;
